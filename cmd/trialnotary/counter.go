package main

import (
	"fmt"
	"time"
)

// counter returns what tells whoever watches how far something has come, "Sealed 12
// of 80", and what ends it.
func (a *app) counter(what string) (show func(n, of int), done func()) {
	if !a.watched || a.json {
		return func(int, int) {}, func() {}
	}
	var last time.Time
	told := false
	return func(n, of int) {
			if told && time.Since(last) < 100*time.Millisecond {
				return
			}
			fmt.Fprintf(a.err, "\r\x1b[K%s %s of %s", what, number(uint64(n)), number(uint64(of)))
			last, told = time.Now(), true
		}, func() {
			if told {
				fmt.Fprint(a.err, "\r\x1b[K")
			}
		}
}
