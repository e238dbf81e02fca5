package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// silentVerbs print nothing that a program would read.
func silentVerbs() []string { return []string{"help", "demo", "completion", "man", "watch", "mirror"} }

// TestHelp walks every verb: it has an example that calls it, a group, --json where
// it prints a result, its exit codes, lines that fit, and no word that promises
// what nothing can keep.
func TestHelp(t *testing.T) {
	banned := []string{"blockchain", "immutable", "tamper-proof", "tamperproof", "unhackable", "military-grade"}
	groups := []string{forSites, forSponsors, forAnyone, forOperators}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		name := c.CommandPath()
		var out bytes.Buffer
		c.SetOut(&out)
		if err := c.Help(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, l := range strings.Split(out.String(), "\n") {
			if n := utf8.RuneCountInString(l); n > 100 {
				t.Errorf("%s --help: line %d has %d columns: %s", name, i+1, n, l)
			}
			if strings.HasSuffix(l, " ") || strings.Contains(l, "\t") {
				t.Errorf("%s --help: line %d has a blank at its end or a tab: %q", name, i+1, l)
			}
			if strings.Contains(l, "trialnotary") && strings.Contains(l, "'") && strings.HasPrefix(l, "  ") {
				t.Errorf("%s --help: line %d has single quotes, which cmd.exe does not take: %s", name, i+1, l)
			}
		}
		for _, w := range banned {
			if strings.Contains(strings.ToLower(out.String()), w) {
				t.Errorf("%s --help says %q", name, w)
			}
		}
		if !strings.Contains(out.String(), "\nExit codes: 0 ") {
			t.Errorf("%s --help does not say its exit codes", name)
		}
		if c.HasParent() && c.Name() != "help" {
			if !strings.Contains(c.Example, name+" ") && c.Example != "  "+name {
				t.Errorf("%s has no example of itself: %q", name, c.Example)
			}
			if !slices.Contains(groups, c.GroupID) {
				t.Errorf("%s is in no group of the help", name)
			}
			if !slices.Contains(silentVerbs(), c.Name()) && c.Flags().Lookup("json") == nil {
				t.Errorf("%s has no --json", name)
			}
			if c.Short == "" || strings.HasSuffix(c.Short, ".") || c.Long == "" {
				t.Errorf("%s: its short text is %q, its long one has %d bytes", name, c.Short, len(c.Long))
			}
			for _, l := range strings.Split(c.Example, "\n") {
				if rest, ok := strings.CutPrefix(strings.TrimSpace(l), name+" "); ok {
					for _, w := range strings.Fields(rest) {
						if flag, ok := strings.CutPrefix(w, "--"); ok && c.Flags().Lookup(flag) == nil {
							t.Errorf("%s: its example has --%s, which is no flag", name, flag)
						}
					}
				}
			}
		}
		for _, v := range c.Commands() {
			walk(v)
		}
	}
	a := newApp()
	a.out, a.err = &bytes.Buffer{}, &bytes.Buffer{}
	root := a.root()
	root.InitDefaultHelpCmd()
	walk(root)
	known := argumentFiles()
	for name := range known {
		if c, _, err := root.Find([]string{name}); err == nil && c.HasParent() && c.ValidArgsFunction == nil {
			t.Errorf("%s completes nothing", name)
		}
	}
}

// TestManual: every verb has a page, and every shell something to complete with.
func TestManual(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1")
	dir := t.TempDir()
	root := newApp().root()
	if err := writeManual(root, dir); err != nil {
		t.Fatal(err)
	}
	for _, v := range root.Commands() {
		if v.Hidden || v.Name() == "help" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, "man", "man1", "trialnotary-"+v.Name()+".1"))
		if err != nil || !bytes.Contains(b, []byte(".SH EXAMPLE")) || !bytes.Contains(b, []byte(`"Jan 1970"`)) {
			t.Errorf("%s: %v", v.Name(), err)
		}
	}
	for _, name := range []string{"trialnotary.bash", "_trialnotary", "trialnotary.fish", "trialnotary.ps1"} {
		if b, err := os.ReadFile(filepath.Join(dir, "completion", name)); err != nil || !bytes.Contains(b, []byte("trialnotary")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMeant(t *testing.T) {
	seal := newApp().sealCommand()
	for typed, want := range map[string]string{"lable": "label", "off-line": "offline", "dry": "dry-run", "xyzzy": "", "o": "", "supercedes": "supersedes"} {
		if got := meant(seal, typed); got != want {
			t.Errorf("--%s: meant --%s, want --%s", typed, got, want)
		}
	}
}
