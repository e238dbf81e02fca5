package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/text"
)

// The exit codes.
const (
	exitDone        = 0
	exitNotVerified = 1
	exitUsage       = 2 // or bad input, or a fault of this machine
	exitPending     = 3
	exitService     = 4 // could not be reached, or refused
	exitUnconfirmed = 5 // consistent, but whose log this is is unconfirmed
)

// fault is an error with what its reader needs: whether anything was lost, and
// the corrected command.
type fault struct {
	code int
	err  error
	list []string // what is wrong, one by one
	safe string   // a sentence
	do   string   // what to do, or the command to type
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// shown is the error of a verb that has printed its result itself.
type shown struct{ code int }

func (s shown) Error() string { return fmt.Sprintf("exit code %d", s.code) }

func codeOf(err error) int {
	var f *fault
	var s shown
	var unreachable *client.Unreachable
	var refused *client.Refused
	var notYet *client.NotYet
	var failure *receipt.Failure
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &s):
		return s.code
	case errors.As(err, &f) && f.code != 0:
		return f.code
	case errors.As(err, &unreachable), errors.As(err, &refused):
		return exitService
	case errors.As(err, &notYet):
		return exitPending
	case errors.As(err, &failure):
		return exitNotVerified
	}
	return exitUsage
}

// args checks the number of arguments, in words. max < 0: no limit.
func args(min, max int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, got []string) error {
		if len(got) < min {
			if min > 1 {
				return usage(c, fmt.Errorf("it needs %s; %d of %d were given", what, len(got), min))
			}
			return usage(c, fmt.Errorf("%s is missing", what))
		}
		if max >= 0 && len(got) > max {
			return usage(c, fmt.Errorf("%q is one argument too many: expected %s", text.Visible(got[max]), what))
		}
		return nil
	}
}

// finish prints an error, if any, and returns the exit code.
func (a *app) finish(c *cobra.Command, err error) int {
	code := codeOf(err)
	var s shown
	if err == nil || errors.As(err, &s) {
		return code
	}
	var f *fault
	if !errors.As(err, &f) {
		f = &fault{err: err}
		if in, ok := err.(*client.InputError); ok {
			f = &fault{err: errors.New(in.Sentence()), safe: in.Safe, do: in.Do}
			err = f
		}
	}
	if missing, ok := errors.AsType[*client.FileError](err); ok && f.safe == "" && code == exitUsage {
		// What is read is read before anything is done.
		more := *f
		more.safe = nothingDone(c)
		if more.do == "" {
			more.do = nearby(missing)
		}
		f = &more
	}
	if f.safe == "" && code == exitUsage && (c.Name() == "verify" || c.Name() == "inspect" || c.Name() == "explain") {
		more := *f // no verdict, neither good nor bad
		more.safe = nothingDone(c)
		f = &more
	}
	if help := advice(err); help != "" {
		more := *f
		more.do = strings.TrimSuffix(help+"\n"+f.do, "\n")
		f = &more
	}
	if a.json {
		_ = a.encode(struct {
			Error string   `json:"error"`
			Exit  int      `json:"exit"`
			List  []string `json:"list,omitempty"`
			Safe  string   `json:"safe,omitempty"`
			Do    string   `json:"do,omitempty"`
		}{inWords(err), code, f.list, f.safe, f.do})
	}
	var lines []string
	for l := range strings.SplitSeq(c.CommandPath()+": "+strings.Join(slices.Concat([]string{inWords(err)}, f.list, []string{f.safe, f.do}), "\n"), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, text.Visible(l))
		}
	}
	fmt.Fprintln(a.err, strings.Join(lines, "\n  "))
	return code
}

// inWords returns an error as people read it: that a form is not the canonical one
// says nothing more to them than what is wrong with it.
func inWords(err error) string {
	return strings.TrimSuffix(text.Visible(err.Error()), ": "+text.ErrFormat.Error())
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func (a *app) encode(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
