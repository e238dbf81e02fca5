package client

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNamesOnWindows: what Windows would write elsewhere, or nowhere, is refused.
func TestNamesOnWindows(t *testing.T) {
	for path, want := range map[string]string{
		`C:\Users\jane\week12.receipt`:                "",
		`week12.receipt`:                              "",
		`.\week12.receipt`:                            "",
		`..\out\week12.receipt`:                       "",
		`\\server\share\trial\week12.receipt`:         "",
		`//server/share/week12.receipt`:               "",
		`\\?\C:\` + strings.Repeat(`long\`, 99) + `x`: "",
		`\\?\UNC\server\share\x.receipt`:              "",
		`\\.\C:\x`:                                    "",
		`D:week12.receipt`:                            "",
		`comment.receipt`:                             "",
		`console\lpt.receipt`:                         "",
		`COM10.receipt`:                               "",
		`NUL.receipt`:                                 "is a device",
		`C:\out\con`:                                  "is a device",
		`aux.2026.manifest`:                           "is a device",
		`com1.receipt`:                                "is a device",
		`LPT³.receipt`:                                "is a device",
		`prn .receipt`:                                "is a device",
		`NUL\x.receipt`:                               "is a device",
		`week:12.receipt`:                             "has the character :",
		`C:\week:12.receipt`:                          "has the character :",
		`what?.receipt`:                               "has the character ?",
		`a"b`:                                         `has the character "`,
		`site.\x.receipt`:                             "ends with a full stop",
		`\\server\share\x `:                           "blank",
	} {
		err := checkName(path, "windows")
		if (err == nil) != (want == "") || err != nil && (!errors.Is(err, ErrName) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if err := checkName(path, "linux"); err != nil {
			t.Errorf("%s is a name elsewhere: %v", path, err)
		}
	}
}

// TestNamesUnfitForWindows: of a dataset that is sealed elsewhere.
func TestNamesUnfitForWindows(t *testing.T) {
	for path, want := range map[string]string{
		"dm.csv":           "",
		"lab/.hidden/b":    "",
		"lab/aux.csv":      "is a device",
		"con/dm.csv":       "is a device",
		"visit 12:30.csv":  "has the character :",
		"lab./dm.csv":      "ends with a full stop or a blank",
		"lab/what?/dm.csv": "has the character ?",
	} {
		if got := UnfitForWindows(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestExpand does what cmd.exe and PowerShell leave to programs.
func TestExpand(t *testing.T) {
	disk := map[string][]string{
		".":                       {"export", "b.CSV", "a.csv", ".hidden.csv", "notes.txt", "a[1].csv"},
		`export\`:                 {"dm.csv", "ae.csv", "Sub"},
		`C:\data\`:                {"week1", "week2", "other"},
		`C:\data\week1`:           {"x.csv"},
		`C:\data\week2`:           {},
		`C:\data\week1\`:          {"x.csv"},
		`C:\data\week2\`:          {},
		`\\server\share\`:         {"a.csv", "b.csv"},
		`\\?\C:\deep\`:            {"a.csv"},
		`\\?\UNC\server\share\d\`: {"a.csv"},
		`D:`:                      {"d.csv"},
	}
	list := func(dir string) ([]string, error) {
		if names, ok := disk[dir]; ok {
			return append([]string{}, names...), nil
		}
		return nil, os.ErrNotExist
	}
	for _, c := range []struct{ in, want string }{
		{`notes.txt|absent`, `notes.txt|absent`}, // what has no pattern is as it is
		{`*.csv`, `a.csv|a[1].csv|b.CSV`},
		{`?.csv`, `a.csv|b.CSV`},
		{`a[1].c*`, `a[1].csv`},
		{`.*`, `.hidden.csv`},
		{`export\*.csv|notes.txt`, `export\ae.csv|export\dm.csv|notes.txt`},
		{`C:\data\week*`, `C:\data\week1|C:\data\week2`},
		{`C:\data\WEEK?\*.csv`, `C:\data\week1\x.csv`},
		{`C:\data\week*\x.csv`, `C:\data\week1\x.csv`},
		{`\\server\share\*`, `\\server\share\a.csv|\\server\share\b.csv`},
		{`\\?\C:\deep\a.csv`, `\\?\C:\deep\a.csv`}, // the ? of a long path is none of a pattern
		{`\\?\C:\deep\*.csv`, `\\?\C:\deep\a.csv`},
		{`\\?\UNC\server\share\d\*`, `\\?\UNC\server\share\d\a.csv`},
		{`D:*.csv`, `D:d.csv`},
		{`C:\My export"`, `C:\My export`}, // of "C:\My export\"
	} {
		got, err := expand(strings.Split(c.in, "|"), list)
		if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%s: %s, %v; want %s", c.in, strings.Join(got, "|"), err, c.want)
		}
	}
	for in, want := range map[string]string{
		`*.sas7bdat`:                 "no file or directory matches *.sas7bdat",
		`C:\absent\*`:                "no file or directory matches",
		`C:\My export" --label Week`: `leave the backslash before the closing quote away, as in "C:\My export"`,
	} {
		if _, err := expand([]string{in}, list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", in, err)
		}
	}
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"a*b*c", "aXbXbYc", true}, {"a*b*c", "aXbXbY", false}, {"??", "é!", true}, {"**", "x", true}, {"", "x", false}, {"a?", "a", false},
	} {
		if like(c.pattern, c.name) != c.want {
			t.Errorf("%q like %q is %v", c.name, c.pattern, !c.want)
		}
	}
}

// TestCaseOnly: where the system does not tell them apart, names that differ by case
// alone are refused; elsewhere they are two files.
func TestCaseOnly(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"Export", "export"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, d, "dm.csv"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	paths := []string{filepath.Join(dir, "Export"), filepath.Join(dir, "export")}
	w := walker{list: os.ReadDir, safe: nothingSealed, hint: "seal", foldCase: true}
	if _, err := w.scan(paths); err == nil || !strings.Contains(err.Error(), "differ by upper and lower case alone") || !strings.Contains(err.Error(), "Nothing was sealed") {
		t.Errorf("folded: %v", err)
	}
	w.foldCase = false
	if tree, err := w.scan(paths); err != nil && !strings.Contains(err.Error(), "letters that look alike") || err == nil && tree.Len() != 2 {
		t.Errorf("not folded: %v", err)
	}
}

// TestPrivateRules: one entry, of one user, and nothing inherited.
func TestPrivateRules(t *testing.T) {
	if got := privateRules("S-1-5-21-1-2-3-1001"); got != "D:P(A;;FA;;;S-1-5-21-1-2-3-1001)" {
		t.Error(got)
	}
}
