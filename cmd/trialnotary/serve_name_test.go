package main

import (
	"strings"
	"testing"
)

// TestMadeUpName: a log that nobody named says so loudly when it is made, and how to
// name it; one that has a name, or is there already, does not.
func TestMadeUpName(t *testing.T) {
	for _, c := range []struct {
		origin  string
		created bool
		loud    bool
	}{
		{"localhost/x3kuo7xwso", true, true},
		{"localhost/x3kuo7xwso", false, false},
		{"notary.example/trials", true, false},
	} {
		var said strings.Builder
		nameLog(&said, &logDir{dir: "my notary", origin: c.origin, created: c.created})
		for _, words := range []string{"NO --origin WAS GIVEN", c.origin, "--origin notary.example.org/trials", "remove"} {
			if c.loud && !strings.Contains(said.String(), words) {
				t.Errorf("%s, made now is %v: does not say %q: %s", c.origin, c.created, words, said.String())
			}
		}
		if !c.loud && strings.Contains(said.String(), "NO --origin") {
			t.Errorf("%s, made now is %v: %s", c.origin, c.created, said.String())
		}
	}
}
