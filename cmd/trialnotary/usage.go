package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trialnotary/notary/client"
	"trialnotary/notary/text"
)

// nothingDone is what is true of a verb that was refused before it began.
func nothingDone(c *cobra.Command) string {
	switch c.Name() {
	case "seal":
		return "Nothing was sealed."
	case "verify", "inspect", "explain":
		return "Nothing was checked."
	case "keygen":
		return "No key was made."
	}
	return "Nothing was done."
}

// usage is an error in how a verb was called: it ends with how it is.
func usage(c *cobra.Command, err error) error {
	do := "See: " + c.CommandPath() + " --help"
	if example, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n"); example != "" && !strings.HasSuffix(example, `\`) {
		do = "For example: " + example + "\n" + do
	}
	return &fault{code: exitUsage, err: err, safe: nothingDone(c), do: do}
}

// usageError says what is missing and how the command goes on.
func usageError(c *cobra.Command, what, add string) error {
	f := &fault{code: exitUsage, err: errors.New(what), safe: nothingDone(c)}
	if add != "" {
		f.do = "For example: " + retyped(c, c.Flags().Args()) + " " + add
	}
	return f
}

// badFlag says what is wrong with a flag, and names the one that was meant.
func badFlag(c *cobra.Command, err error) error {
	see := "See: " + c.CommandPath() + " --help"
	f := &fault{code: exitUsage, err: err, safe: nothingDone(c), do: see}
	var none *pflag.NotExistError
	var lacks *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &none):
		typed, dashes := none.GetSpecifiedName(), "--"
		if one := none.GetSpecifiedShortnames(); one != "" {
			typed, dashes = one, "-" // mostly a long name that lacks a dash
		}
		f.err = fmt.Errorf("there is no flag %s", text.Visible(dashes+typed))
		if near := meant(c, typed); near != "" {
			f.do = "Did you mean --" + near + "?\n" + see
		}
	case errors.As(err, &lacks):
		_, words := pflag.UnquoteUsage(lacks.GetFlag())
		f.err = fmt.Errorf("nothing follows --%s", lacks.GetFlag().Name)
		f.do = "It takes: " + words + "\n" + see
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "duration":
		f.err = fmt.Errorf("%q is no length of time, as --%s takes", text.Visible(invalid.GetValue()), invalid.GetFlag().Name)
		f.do = "As in: --" + invalid.GetFlag().Name + " 90s, or 10m, or 1h30m"
	case errors.As(err, &invalid):
		f.err = fmt.Errorf("%q is not what --%s takes", text.Visible(invalid.GetValue()), invalid.GetFlag().Name)
	}
	return f
}

// noVerb is the error of a first word that is no verb.
func noVerb(c *cobra.Command, got []string) error {
	if len(got) == 0 {
		return nil
	}
	f := &fault{code: exitUsage, err: fmt.Errorf("there is no verb %q", text.Visible(got[0])), safe: nothingDone(c), do: "See: trialnotary --help"}
	if _, err := os.Lstat(got[0]); err == nil {
		f.err = fmt.Errorf("%q is a file or directory; what is to be done with it?", text.Visible(got[0]))
		f.do = "To seal it: trialnotary seal " + quote(got[0]) + "\nTo check it: trialnotary verify " + quote(got[0]) + "\nTo see what it is: trialnotary inspect " + quote(got[0])
	} else if near := c.SuggestionsFor(got[0]); len(near) > 0 {
		f.do = "Did you mean: trialnotary " + strings.Join(append([]string{near[0]}, quoted(got[1:])...), " ") + "\n" + f.do
	}
	return f
}

// wrongFile says what a file is that should have been another of ours.
func wrongFile(name string, b []byte, want string, err error) error {
	b, _ = text.Outer(b[:min(len(b), 96)])
	line, _, _ := strings.Cut(string(b), "\n")
	const nothing = "Nothing was done."
	if !strings.HasPrefix(line, "trialnotary/") || kindOf(line) == want {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err), safe: nothing}
	}
	return &fault{code: exitUsage, err: fmt.Errorf("%s is %s, not %s", name, article(kindOf(line)), article(want)), safe: nothing, do: "To see what it holds: trialnotary inspect " + quote(name)}
}

// nearby says what may be meant by a file that cannot be read: those beside it with
// the same ending, or nearly the same name.
func nearby(e *client.FileError) string {
	if !errors.Is(e.Err, os.ErrNotExist) {
		return "Check that it is the file you mean, and that you may read it."
	}
	dir, base, ext := filepath.Dir(e.Path), filepath.Base(e.Path), filepath.Ext(e.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "There is no directory " + quote(dir) + ", or it cannot be listed."
	}
	var found []string
	for _, n := range entries {
		like := ext != "" && filepath.Ext(n.Name()) == ext || distance(n.Name(), base) <= min(2, len(base)/4)
		if like && n.Type().IsRegular() && !strings.HasPrefix(n.Name(), ".") {
			found = append(found, filepath.Join(dir, n.Name()))
		}
	}
	if len(found) > 0 {
		return "There is: " + names(quoted(found))
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return "It was looked for in " + quote(abs)
	}
	return ""
}
