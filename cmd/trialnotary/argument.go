package main

import (
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
)

// quote writes an argument as the shell of this system takes it.
func quote(s string) string { return quoteFor(s, runtime.GOOS) }

func quoteFor(s, system string) string {
	marks := "._-/+:=,@%"
	if system == "windows" {
		marks = `._-/+:=,@\`
	}
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(marks, r))
	})
	switch {
	case plain:
		return s
	case system == "windows":
		// Double quotes are those that both cmd.exe and PowerShell take; no name
		// on Windows holds one. A backslash before the last would quote it.
		return `"` + strings.TrimRight(s, `\`) + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func quoted(all []string) []string {
	q := make([]string, len(all))
	for i, s := range all {
		q[i] = quote(s)
	}
	return q
}

// expandsPatterns makes a verb take *.csv where the shell leaves that to programs.
// Arguments are counted afterwards.
func expandsPatterns(v *cobra.Command) {
	run, counts := v.RunE, v.Args
	if run == nil || counts == nil {
		return
	}
	v.Args = cobra.ArbitraryArgs
	v.RunE = func(c *cobra.Command, args []string) error {
		args, err := client.Expand(args)
		if err != nil {
			return &fault{code: exitUsage, err: err, safe: "Nothing was begun.", do: "Check the name; to see what is there: dir"}
		}
		if err := counts(c, args); err != nil {
			return err
		}
		return run(c, args)
	}
}
