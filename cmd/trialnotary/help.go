package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is as many columns as help takes: of a window that nobody enlarged,
// and some.
const helpWidth = 90

// writeUsage prints how a command is called: examples before flags, for most
// people stop reading there.
func writeUsage(c *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s\n", c.UseLine())
	if c.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	}
	for _, g := range c.Groups() {
		fmt.Fprintf(&b, "\n%s\n", g.Title)
		for _, v := range c.Commands() {
			if v.GroupID == g.ID && (v.IsAvailableCommand() || v.Name() == "help") {
				fmt.Fprintf(&b, "  %-*s  %s\n", c.NamePadding(), v.Name(), v.Short)
			}
		}
	}
	if !c.HasParent() {
		fmt.Fprintf(&b, "\nOf one verb: %s VERB --help. Which this is: %[1]s --version", c.CommandPath())
		fmt.Fprintf(&b, "\nExit codes: %s\n", exitWords(c))
		fmt.Fprint(c.OutOrStderr(), b.String())
		return nil
	}
	if len(c.Groups()) == 0 && c.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, v := range c.Commands() {
			if v.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-*s  %s\n", c.NamePadding(), v.Name(), v.Short)
			}
		}
	}
	if c.HasAvailableLocalFlags() {
		fmt.Fprintf(&b, "\nFlags:\n%s", trimRight(c.LocalFlags().FlagUsagesWrapped(helpWidth)))
	}
	fmt.Fprintf(&b, "\nExit codes: %s\n", exitWords(c))
	fmt.Fprint(c.OutOrStderr(), b.String())
	return nil
}

// exitWords says which exit codes a command has: what it can do follows from its
// flags.
func exitWords(c *cobra.Command) string {
	has := func(name string) bool { return c.Flags().Lookup(name) != nil }
	checks := has("trust") || !c.HasParent()
	words := []string{"0 done"}
	if checks {
		words = []string{"0 verified or done", "1 NOT verified"}
	}
	words = append(words, "2 usage or bad input")
	if has("service") || has("state") || !c.HasParent() {
		words = append(words, "3 not yet", "4 the service could not be reached or refused")
	}
	if has("tsa") {
		words = append(words, "4 the authority could not be reached or refused")
	}
	if checks {
		words = append(words, "5 consistent, but whose log this is is unconfirmed")
	}
	var b strings.Builder
	column := len("Exit codes: ")
	for i, w := range words {
		if i > 0 {
			b.WriteString(", ")
			if column += 2; column+len(w) > helpWidth {
				b.WriteString("\n  ")
				column = 2
			}
		}
		b.WriteString(w)
		column += len(w)
	}
	return strings.ReplaceAll(b.String(), ", \n", ",\n")
}

// trimRight takes away the blanks that padding leaves.
func trimRight(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// meant returns the flag that a mistyped one is nearest to, "" if none is near.
func meant(c *cobra.Command, typed string) string {
	best, at := "", 3
	c.Flags().VisitAll(func(f *pflag.Flag) {
		d := distance(typed, f.Name)
		if len(typed) > 2 && strings.HasPrefix(f.Name, typed) {
			d = 1
		}
		if d < at && d < len(typed) {
			best, at = f.Name, d
		}
	})
	return best
}

// distance is how many letters are to be put in, taken out or changed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			same := before
			if a[i] != b[j] {
				same++
			}
			before = row[j+1]
			row[j+1] = min(same, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
