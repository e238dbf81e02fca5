package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// completed returns what a shell is told to offer: words, or endings of files.
func completed(t *testing.T, line ...string) (offers []string, directive string) {
	t.Helper()
	var out bytes.Buffer
	root := newApp().root()
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(append([]string{cobra.ShellCompNoDescRequestCmd}, line...))
	if err := root.Execute(); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := len(lines) - 1
	return lines[:last], strings.TrimPrefix(lines[last], ":")
}

// TestFilesAreCompletedByTheirEnding: each place of a command line takes the files
// that fit there, and no others are offered.
func TestFilesAreCompletedByTheirEnding(t *testing.T) {
	const any, none, byEnding = "0", "4", "8" // cobra's directives
	for _, c := range []struct{ line, directive, offers string }{
		{"verify ", byEnding, "receipt history zip pdf quiet equivocation"},
		{"verify a.receipt ", any, ""},
		{"seal ", any, ""},
		{"seal export ", any, ""},
		{"receipt ", byEnding, "pending receipt"},
		{"renew ", byEnding, "receipt"},
		{"watch ", byEnding, "trial invite"},
		{"submit one.pending ", byEnding, "pending"},
		{"share ", byEnding, "receipt"},
		{"withdraw ", byEnding, "receipt"},
		{"join ", byEnding, "invite"},
		{"fetch ", byEnding, "trial invite"},
		{"timeline ", byEnding, "trial history"},
		{"absent T.history ", none, ""},
		{"trust ", byEnding, "trust trial invite"},
		{"enrol ", byEnding, "trial"},
		{"enrol T.trial ", none, ""},
		{"enrol T.trial site-042 ", byEnding, "pub"},
		{"succeed T.trial old.pub ", byEnding, "pub"},
		{"register ", none, ""},
		{"join site.invite --key ", byEnding, "key"},
		{"seal export --trial ", byEnding, "trial"},
		{"seal export --supersedes ", byEnding, "receipt"},
		{"enrol T.trial --csv ", byEnding, "csv"},
		{"audit log --cosign ", byEnding, "key"},
		{"verify a.receipt --manifest ", byEnding, "manifest"},
		{"seal export --meaning ", none, "authorship review approval responsibility"},
	} {
		offers, directive := completed(t, strings.Split(c.line, " ")...)
		if directive != c.directive || strings.Join(offers, " ") != c.offers {
			t.Errorf("%q: offers %q, directive %s; want %q, %s", c.line, offers, directive, c.offers, c.directive)
		}
	}
	// A flag of that name that takes a fingerprint takes no file.
	if offers, directive := completed(t, "join", "site.invite", "--trial", ""); directive == byEnding {
		t.Errorf("a fingerprint is completed by files: %q", offers)
	}
	if offers, _ := completed(t, "seal", "export", "--kind", ""); !slices.Contains(offers, "dataset") || slices.Contains(offers, "registration") {
		t.Errorf("kinds: %q", offers)
	}
}

// TestCompletionKnowsEveryVerb: what is said of verbs and flags is of those that are.
func TestCompletionKnowsEveryVerb(t *testing.T) {
	verbs, flags := map[string]bool{}, map[string]bool{}
	root := newApp().root()
	for _, v := range root.Commands() {
		verbs[v.Name()] = true
		for name := range flagFiles() {
			flags[name] = flags[name] || v.Flags().Lookup(name) != nil
		}
	}
	for name := range argumentFiles() {
		if !verbs[name] {
			t.Errorf("there is no verb %s", name)
		}
	}
	for name, there := range flags {
		if !there {
			t.Errorf("no verb has a flag --%s", name)
		}
	}
}
