package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trialnotary/notary/statement"
)

// ward is a directory with a joined key, and a service.
type ward struct{ dir string }

func (s *ward) path(elem ...string) string { return filepath.Join(append([]string{s.dir}, elem...)...) }

func newWard(t *testing.T) *ward {
	v, err := newVillage()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.close)
	s := &ward{t.TempDir()}
	s.run(t, "keygen", "--name", "acme", "--out", "acme.key", "--no-passphrase")
	s.run(t, "keygen", "--name", "rec", "--out", "rec.key", "--no-passphrase")
	s.run(t, "keygen", "--name", "jdoe", "--out", "jdoe.key", "--no-passphrase")
	b, err := os.ReadFile(s.path("acme.key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := statement.ParsePublicKey(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	v.mu.Lock()
	v.sponsors = append(v.sponsors, k)
	v.mu.Unlock()
	s.run(t, "register", "NCT01234567", "--recovery", "rec.key.pub", "--key", "acme.key", "--service", v.http.URL, "--out", "T.trial")
	s.run(t, "enrol", "T.trial", "site-042", "jdoe.key.pub", "--out", "site.invite")
	s.run(t, "join", "site.invite", "--key", "jdoe.key")
	s.run(t, "trust", "T.trial", "--fingerprint", v.fingerprint())
	return s
}

func (s *ward) run(t *testing.T, args ...string) (string, *os.ProcessState) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "trialnotary", args...) // TestMain puts it there
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "TRIALNOTARY_CONFIG="+s.path("config"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("trialnotary %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), cmd.ProcessState
}
