package main

import (
	"github.com/spf13/cobra"

	"trialnotary/notary/client"
)

// ready refuses, before hours of hashing, what could not be finished after them, or
// only wrongly: results whose names this system gives to no file, and a statement
// with the time of a clock that is wrong.
func (a *app) ready(c *cobra.Command, s sealing) error {
	if err := client.CheckName(s.prefix + ".receipt"); err != nil {
		return &fault{code: exitUsage, err: err, safe: "Nothing was sealed.", do: "Choose another name with --out PREFIX."}
	}
	if s.offline {
		return nil
	}
	service := s.from.service
	if a.service != "" {
		service = a.service
	}
	srv, err := client.New(service, a.options())
	if err != nil {
		return &fault{code: exitUsage, err: err, safe: "Nothing was sealed."}
	}
	if err := a.rightClock(c.Context(), srv); err != nil {
		err.safe = "Nothing was sealed."
		return err
	}
	return nil
}
