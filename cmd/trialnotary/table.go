package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"trialnotary/notary/text"
)

// table is rows of fields for people, below their names.
type table struct {
	names []string
	rows  [][]string
}

func newTable(names ...string) *table { return &table{names: names} }

func (t *table) row(fields ...string) { t.rows = append(t.rows, fields) }

// String returns the table, printable whatever it quotes.
func (t *table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range append([][]string{t.names}, t.rows...) {
		for i, f := range r {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, text.Visible(f))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	var lines []string
	for l := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(l, " \n"))
	}
	return strings.Join(lines, "\n") + "\n"
}
