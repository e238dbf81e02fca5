package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"trialnotary/notary/statement"
)

var (
	scratch     string // a directory for all tests
	testSponsor string // a sponsor's verifier key
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "infra-*"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		defer jsii.Close()
		key, err := statement.GenerateKey("acme")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		testSponsor = key.Public().String()
		return m.Run()
	}())
}
