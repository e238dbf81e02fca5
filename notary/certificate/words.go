package certificate

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Times for people carry the month's name, and are in UTC: a page is read anywhere.
func day(t time.Time) string    { return t.UTC().Format("2 January 2006") }
func clock(t time.Time) string  { return t.UTC().Format("15:04 UTC") }
func moment(t time.Time) string { return day(t) + ", " + clock(t) }

// number writes 70321 as 70,321.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes "1 file", "1,200 files".
func count(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

// grouped writes a hash in hex, in sixteen groups of four.
func grouped(h [32]byte) string {
	s := hex.EncodeToString(h[:])
	g := make([]string, len(s)/4)
	for i := range g {
		g[i] = s[4*i : 4*i+4]
	}
	return strings.Join(g, " ")
}

// some lists at most that many.
func some(all []string, most int) string {
	if len(all) > most {
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more, which the receipt names", len(all)-most)
	}
	return strings.Join(all, ", ")
}
