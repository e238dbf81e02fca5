package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoubleClick: started from the Explorer it explains itself, does with a dropped
// file what can do no harm, and waits; started otherwise it does none of that.
func TestDoubleClick(t *testing.T) {
	dir := t.TempDir()
	receipt, data := filepath.Join(dir, "A.RECEIPT"), filepath.Join(dir, "data.csv")
	for _, f := range []string{receipt, data} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what, args, want, says string
		by                     bool
	}{
		{"double click", "", "", "type  cmd  and press Enter", true},
		{"typed", "", "", "", false},
		{"a receipt dropped", receipt, "verify|" + receipt, "", true},
		{"a receipt and its data dropped", receipt + "|" + data, "verify|" + receipt + "|" + data, "", true},
		{"another file dropped", data, "inspect|" + data, "", true},
		{"several others dropped", data + "|" + data, "", "one file at a time", true},
		{"a shortcut with a verb", "serve|--dir|x", "serve|--dir|x", "", true},
		{"typed with a receipt", receipt, receipt, "", false},
	} {
		var out strings.Builder
		in := strings.NewReader("\nrest")
		k := clicked{c.by, in, &out}
		args, ok := k.start(strings.FieldsFunc(c.args, func(r rune) bool { return r == '|' }))
		if strings.Join(args, "|") != c.want || ok != (c.want != "" || !c.by) {
			t.Errorf("%s: goes on with %v, %v", c.what, args, ok)
		}
		if !strings.Contains(out.String(), c.says) || c.says == "" && out.Len() > 0 {
			t.Errorf("%s: says %q", c.what, out.String())
		}
		out.Reset()
		k.end()
		if waits := strings.Contains(out.String(), "Press Enter"); waits != c.by || (in.Len() == 5) != !c.by {
			t.Errorf("%s: waits is %v", c.what, waits)
		}
	}
}

// TestQuote: what is proposed to be typed is typed differently on Windows.
func TestQuote(t *testing.T) {
	for _, c := range []struct{ in, unix, windows string }{
		{"a.receipt", "a.receipt", "a.receipt"},
		{`C:\export\a`, `'C:\export\a'`, `C:\export\a`},
		{`C:\My export\`, `'C:\My export\'`, `"C:\My export"`},
		{"it's", `'it'\''s'`, `"it's"`},
		{"", "''", `""`},
		{"a$b", "'a$b'", `"a$b"`},
	} {
		if u, w := quoteFor(c.in, "linux"), quoteFor(c.in, "windows"); u != c.unix || w != c.windows {
			t.Errorf("%q: %s and %s", c.in, u, w)
		}
	}
}
