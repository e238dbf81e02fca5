package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"trialnotary/notary/text"
)

// sheet is a result for people: a head and rows, each a word and its text.
//
//	VERIFIED   dataset · site-042 · NCT01234567
//	  bytes      12 of 12 files match
type sheet struct {
	word, head string
	rows       []row
}

type row struct{ word, text string }

func (s *sheet) add(word, format string, a ...any) {
	s.rows = append(s.rows, row{word, fmt.Sprintf(format, a...)})
}

// more goes on with the row added last, on a line of its own.
func (s *sheet) more(format string, a ...any) { s.add("", format, a...) }

// lines returns the sheet, printable whatever it quotes. Words are padded so that
// the texts stand below each other.
func (s *sheet) lines() string {
	width := 9
	for _, r := range s.rows {
		width = max(width, len(r.word))
	}
	var b strings.Builder
	b.WriteString(s.word)
	if s.head != "" {
		b.WriteString("   " + text.Visible(s.head))
	}
	b.WriteString("\n")
	for _, r := range s.rows {
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s  %s", width, r.word, text.Visible(r.text)), " ") + "\n")
	}
	return b.String()
}

// print prints the sheet, or v as JSON.
func (a *app) print(s *sheet, v any) error {
	if a.json {
		return a.encode(v)
	}
	out := s.lines()
	if rest, ok := strings.CutPrefix(out, s.word); ok && a.color {
		shade := "1;32"
		if strings.HasPrefix(s.word, "NOT ") {
			shade = "1;31"
		} else if strings.HasPrefix(s.word, "CONSISTENT") || strings.HasPrefix(s.word, "SAME ") {
			shade = "1;33"
		}
		out = "\x1b[" + shade + "m" + s.word + "\x1b[0m" + rest
	}
	_, err := fmt.Fprint(a.out, out)
	return err
}

// number writes 70321 as 70,321.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes "1 file", "2 files".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(uint64(n)) + " " + what + "s"
}

// bytes writes a size for people.
func bytesOf(n uint64) string {
	if n < 1000 {
		return count(int(n), "byte")
	}
	f, units := float64(n), []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	for i, u := range units {
		if f /= 1000; f < 999.95 || i == len(units)-1 {
			return fmt.Sprintf("%.1f %s", f, u)
		}
	}
	return ""
}

// ordinal writes 1st, 2nd, 3rd, 11th.
func ordinal(n uint64) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return number(n) + suffix
}

// Times for people carry the month's name: 3/4/2026 is another day elsewhere.
func day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// moment writes a time in UTC and, where that differs, on the reader's clock.
func moment(t time.Time) string {
	utc, local := t.UTC(), t.Local()
	s := utc.Format("2 Jan 2006 15:04 UTC")
	if _, offset := local.Zone(); offset == 0 {
		return s
	}
	zone := local.Format("MST")
	if zone == "" || strings.ContainsAny(zone[:1], "+-") {
		zone = "UTC" + local.Format("-07:00")
	}
	if day(utc) == local.Format("2 Jan 2006") {
		return s + " = " + local.Format("15:04 ") + zone
	}
	return s + " = " + local.Format("2 Jan 2006 15:04 ") + zone
}

// names lists at most five names.
func names(all []string) string {
	if len(all) > 5 {
		return strings.Join(all[:5], ", ") + fmt.Sprintf(" and %d more", len(all)-5)
	}
	return strings.Join(all, ", ")
}
