package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/statement"
)

// listReader returns a key and a function that reads a list, in which KEY stands for it.
func listReader(t testing.TB) (statement.PublicKey, func(string) ([]listed, []mistake, error)) {
	k, err := statement.GenerateKey("jane")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys", "jane.key.pub"), []byte(k.Public().String()+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "list.csv")
	return k.Public(), func(s string) ([]listed, []mistake, error) {
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(s, "KEY", k.Public().String())), 0o600); err != nil {
			t.Fatal(err)
		}
		return readList(name, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	}
}

// However a spreadsheet writes it, it is the same list.
func TestListsOfSpreadsheets(t *testing.T) {
	key, read := listReader(t)
	for what, list := range map[string]string{
		"commas":                "stream,key,role,person,until\nsite-1,KEY,site,Jane Doe,2027-12-31\n",
		"semicolons":            "stream;key;role;person;until\nsite-1;KEY;site;Jane Doe;2027-12-31\n",
		"tabs":                  "stream\tkey\trole\tperson\tuntil\nsite-1\tKEY\tsite\tJane Doe\t2027-12-31\n",
		"mark and CR LF":        "\ufeffstream;key;role;person;until\r\nsite-1;KEY;site;Jane Doe;2027-12-31\r\n",
		"separator told":        "sep=;\r\nstream;key;role;person;until\r\nsite-1;KEY;site;Jane Doe;2027-12-31\r\n",
		"other order":           "Until,Person,Key,Role,Stream\n2027-12-31,Jane Doe,KEY,SITE,site-1\n",
		"quoted":                "\"stream\",\"key\",\"person\",\"until\"\n\"site-1\",\"KEY\",\"Jane Doe\",\"2027-12-31\"\n",
		"blanks, empty rows":    "stream,key,person,until,\n, ,,,\n site-1 , KEY ,Jane Doe,2027-12-31,\n,,,,\n\n",
		"a file":                "stream,key,person,until\nsite-1,keys/jane.key.pub,Jane Doe,2027-12-31\n",
		"a file, as on Windows": "stream,key,person,until\nsite-1,keys\\jane.key.pub,Jane Doe,2027-12-31\n",
		"no last line end":      "stream,key,person,until\nsite-1,KEY,Jane Doe,2027-12-31",
	} {
		rows, mistakes, err := read(list)
		if err != nil || len(mistakes) > 0 || len(rows) != 1 {
			t.Errorf("%s: %d rows, %v, %v", what, len(rows), mistakes, err)
			continue
		}
		r := rows[0]
		if r.stream != "site-1" || r.key != key || r.role != "site" || r.person != "Jane Doe" || r.end.Format(time.RFC3339) != "2027-12-31T23:59:59Z" {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

// What is no list is refused whole; what is wrong in a row names its line.
func TestListsThatAreWrong(t *testing.T) {
	_, read := listReader(t)
	for list, want := range map[string]string{
		"":                                      "no header line",
		"PK\x03\x04":                            "no CSV file in UTF-8",
		"\xff\xfes\x00t\x00":                    "no CSV file in UTF-8",
		"site-1,KEY\n":                          "no header line",
		"stream,person\nsite-1,Jane\n":          "no column key",
		"stream,key,stream\nsite-1,KEY,x\n":     "two columns stream",
		"stream,key,note\nsite-1,KEY,x\n":       `a column "note"`,
		"stream,key\n,,\n":                      "no one to enrol",
		strings.Repeat("stream,key\n", 500_000): "larger than",
	} {
		if _, _, err := read(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", list, err, want)
		}
	}
	for list, want := range map[string]string{
		"stream,key\n\nregistration,KEY\n":                          `line 3: "registration" is no name`,
		"stream,key\nSITE 1,KEY\n":                                  "write site-1",
		"stream,key\nsite-1,PRIVATE+KEY+x\n":                        "private key",
		"stream,key\nsite-1,keys/none.pub\n":                        "line 2:",
		"stream,key,person\nsite-1,KEY,J\xfcrgen\n":                 "not in UTF-8",
		"stream,key,person\nsite-1,KEY,Jane\u202eDoe\n":             "turns the direction",
		"stream,key,person\nsite-1,KEY," + strings.Repeat("x", 101): "101 bytes",
		"stream,key,until\nsite-1,KEY,31.12.2027\n":                 "line 2: \"31.12.2027\" is not a time",
		"stream,key,until\nsite-1,KEY,2020-01-01\n":                 "is past",
		"sep=,\nstream,key\nsite-1,KEY\nsite-1,KEY\n":               "line 4: it enrols the key of line 3",
		"stream,key,person\nsite-1,KEY,\"a\nb\"\nx y,KEY,\n":        "line 4:",
	} {
		_, mistakes, err := read(list)
		if err != nil || len(mistakes) == 0 || !strings.Contains(mistakes[len(mistakes)-1].String(), want) {
			t.Errorf("%q: %v, %v, want %q", list, mistakes, err, want)
		}
	}
}

// Whatever the bytes are, each row is either taken or told.
func FuzzReadList(f *testing.F) {
	_, read := listReader(f)
	for _, s := range []string{"stream,key\nsite-1,KEY\n", "sep=;\nstream;key\n\"a\";\"b\n", "\ufeffkey\tstream\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rows, mistakes, err := read(s)
		if err == nil && len(rows)+len(mistakes) == 0 {
			t.Errorf("%q is a list of nothing", s)
		}
		for _, r := range rows {
			if !statement.ValidName(r.stream) || !statement.Role(r.role).Known() || inText(r.person) != "" {
				t.Errorf("%+v", r)
			}
		}
	})
}
