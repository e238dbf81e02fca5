package main

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws"
)

func TestProdRefusesToSynthesiseWithoutItsParameters(t *testing.T) {
	for _, name := range []string{"origin", "retention", "sponsors"} {
		_, err := readStage(parametersOf("prod", name+"="))
		if err == nil || !strings.Contains(err.Error(), "no default for "+name) {
			t.Errorf("prod without %s: %v", name, err)
		}
	}
	s, err := readStage(parametersOf("prod"))
	if err != nil {
		t.Fatalf("prod with all three: %v", err)
	}
	if s.Retention != (onaws.Retention{Years: 25}) || s.Origin != "log.example.org/trials" || s.Sponsors != testSponsor {
		t.Errorf("prod is %+v", s)
	}
}

func TestStagesRefuseWhatCannotWork(t *testing.T) {
	key := witnessKey(t)
	for _, c := range []struct{ reason, stage, parameter, says string }{
		{"no stage at all", "", "", "which stage?"},
		{"a stage nobody knows", "staging", "", "there are local, dev and prod"},
		{"half a day of retention", "dev", "retention=12h", "12h"},
		{"no retention that is one", "dev", "retention=0d", "0d"},
		{"more years than S3 has", "dev", "retention=101y", "101y"},
		{"an origin with a space", "dev", "origin=my log", "blank"},
		{"a sponsor who is no key", "dev", "sponsors=acme", "acme"},
		{"a file of sponsors that is not there", "dev", "sponsors=@nowhere", "nowhere"},
		{"neither true nor false", "dev", "reserve=maybe", "maybe"},
		{"a domain without certificate", "dev", "domain=log.example.org", "go together"},
		{"a replica without its account", "dev", "replica=arn:aws:s3:::copy", "go together"},
		{"a witness without an address", "dev", "witnesses=witness w1 " + key + ",quorum w1", "line 1 has no address"},
		{"a witness at no address", "dev", "witnesses=witness w1 " + key + " ftp://w.example,quorum w1", "is not the address of a witness"},
		{"witnesses without a quorum", "dev", "witnesses=witness w1 " + key + " https://w.example", "the last line"},
		{"a file of witnesses that is not there", "dev", "witnesses=@nowhere", "nowhere"},
		{"more than Lambda's environment holds", "prod", "sponsors=" + strings.Repeat(testSponsor+",", 64), "Lambda takes 4096"},
		{"authorities without a file", "dev", "tsas=office http://tsa.example.org", "-c tsas=@FILE"},
		{"a file of authorities that is not there", "dev", "tsas=@nowhere", "nowhere"},
	} {
		more := strings.FieldsFunc(c.parameter, func(r rune) bool { return r == '\n' })
		if _, err := readStage(parametersOf(c.stage, more...)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.reason, err)
		}
	}
}

func witnessKey(t *testing.T) string {
	t.Helper()
	k, err := checkpoint.GenerateCosignature("w.example")
	if err != nil {
		t.Fatal(err)
	}
	return k.VerifierKey()
}

// The functions are told the lines of the witnesses, and nothing that is for people.
func TestWitnessesReachTheFunctions(t *testing.T) {
	key := witnessKey(t)
	file := filepath.Join(t.TempDir(), "witnesses.txt")
	if err := os.WriteFile(file, []byte("# who they are\r\n\nwitness  w1 "+key+"\thttps://w.example/\r\nquorum w1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "witness w1 " + key + " https://w.example/\nquorum w1"
	for _, given := range []string{"@" + file, "witness w1 " + key + " https://w.example/,quorum w1"} {
		s, err := readStage(parametersOf("prod", "witnesses="+given))
		if err != nil || s.Witnesses != want {
			t.Errorf("%q gives %q, %v", given, s.Witnesses, err)
		}
	}
}

// The functions are told whom to ask and whom to trust, and nothing for people.
func TestAuthoritiesReachTheFunctions(t *testing.T) {
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	file := filepath.Join(t.TempDir(), "tsas.txt")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# who they are\r\noffice\thttps://tsa.example/tsr\r\n" + root + "subject=for people\n" + root)
	s, err := readStage(parametersOf("prod", "tsas=@"+file))
	if err != nil || s.TSAs != "office https://tsa.example/tsr\n"+root+root {
		t.Errorf("%q, %v", s.TSAs, err)
	}
	for text, says := range map[string]string{
		"office https://tsa.example/\n":                           "no certificate to trust office under",
		"office\n" + root:                                         "line 1 is not a name and an address",
		"office https://tsa.example/\n" + strings.Repeat(root, 8): "Lambda takes 4096",
	} {
		write(text)
		if _, err := readStage(parametersOf("prod", "tsas=@"+file)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.30q: %v", text, err)
		}
	}
}

func TestACommandLineTypoIsNotIgnored(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-stage", "dev", "-c", "retnetion=25y"}, "no such parameter"},
		{[]string{"-stage", "dev", "-c", "retention"}, "not key=value"},
		{[]string{"dev"}, `"dev" is not understood`},
	} {
		if err := run(c.args); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v", c.args, err)
		}
	}
}

func TestOnlyTheLocalStageIsBuiltForThisMachine(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		s, err := readStage(parametersOf(name))
		if err != nil {
			t.Fatal(err)
		}
		if s.Machine != "arm64" {
			t.Errorf("%s: functions for %s", name, s.Machine)
		}
	}
	s, err := readStage(parametersOf("local"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains([]string{"arm64", "amd64"}, s.Machine) {
		t.Skipf("Lambda has no %s", s.Machine)
	}
}
