package timestamp_test

import (
	"strings"
	"testing"

	"trialnotary/notary/timestamp"
)

func TestList(t *testing.T) {
	all, err := timestamp.ParseList([]byte("# asked by turns\noffice  https://tsa.example/tsr\n\nsecond\thttp://time.example/ts?x=1\r\n"))
	if err != nil || len(all) != 2 || all[0] != (timestamp.Listed{Name: "office", URL: "https://tsa.example/tsr"}) || all[1].Name != "second" {
		t.Errorf("%v, %v", all, err)
	}
	for name, c := range map[string]struct{ file, want string }{
		"no address":     {"office\n", "line 1 is not a name and an address"},
		"no such scheme": {"# x\noffice ftp://tsa.example/\n", "line 2 is wrong"},
		"with a user":    {"office https://me@tsa.example/\n", "line 1 is wrong"},
		"a name":         {"Office https://tsa.example/\n", "line 1 names an authority"},
		"twice":          {"a https://a.example/\na https://b.example/\n", "line 2 has the name a again"},
		"too many":       {"a https://a/\nb https://a/\nc https://a/\nd https://a/\ne https://a/\n", "line 5 is one too many"},
		"control":        {"a https://a/\x1b[2J\n", "line 1 has a control character"},
	} {
		if _, err := timestamp.ParseList([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAsked: a list needs the certificates that its tokens must verify under.
func TestAsked(t *testing.T) {
	root := string(newOffice(t, nil).root.pem())
	asked, roots, err := timestamp.ParseAsked([]byte("office https://tsa.example/\n" + root))
	if err != nil || len(asked) != 1 || asked[0].Name() != "office" || string(roots) != root {
		t.Errorf("%v, %v", asked, err)
	}
	if asked, roots, err := timestamp.ParseAsked(nil); err != nil || asked != nil || roots != nil {
		t.Errorf("nobody: %v, %s, %v", asked, roots, err)
	}
	for name, file := range map[string]string{
		"none":   "office https://tsa.example/\n",
		"broken": "office https://tsa.example/\n" + strings.Replace(root, "MII", "xxx", 1),
		"a key":  "office https://tsa.example/\n-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n",
	} {
		if _, _, err := timestamp.ParseAsked([]byte(file)); err == nil {
			t.Errorf("certificates %s: accepted", name)
		}
	}
}

func FuzzParseList(f *testing.F) {
	f.Add([]byte("# asked by turns\noffice  https://tsa.example/tsr\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := timestamp.ParseList(b)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, l := range all {
			again.WriteString(l.Name + " " + l.URL + "\n")
		}
		if back, err := timestamp.ParseList([]byte(again.String())); err != nil || len(back) != len(all) {
			t.Errorf("%q: %v", again.String(), err)
		}
	})
}
