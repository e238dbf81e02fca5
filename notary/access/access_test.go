package access

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func sample(t testing.TB) File {
	t.Helper()
	k, err := statement.GenerateKey("monitor.poe")
	if err != nil {
		t.Fatal(err)
	}
	key := k.Public().Fingerprint()
	return File{Log: "log.example/trials", Trial: statement.StreamID{1}, Number: 3, Records: []Record{
		{noon, key, statement.RoleMonitor, Entries, statement.StreamID{2}, 1, 14},
		{noon, key, statement.RoleMonitor, Statements, statement.StreamID{2}, 15, 14},
		{noon, key, statement.RoleInspector, History, statement.StreamID{2}, 881, 881},
		{noon, key, statement.RoleSponsor, Trail, statement.StreamID{1}, 0, 0},
	}}
}

func TestFileRoundTrip(t *testing.T) {
	for _, closed := range []bool{false, true} {
		f := sample(t)
		f.Closed = closed
		got, err := Parse(f.Bytes())
		if err != nil || !bytes.Equal(got.Bytes(), f.Bytes()) || got.Closed != closed || len(got.Records) != 4 || got.Records[1] != f.Records[1] {
			t.Errorf("%+v, %v", got, err)
		}
	}
	r, err := ParseLine(sample(t).Records[0].Line())
	if err != nil || r.To != 14 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestBadFiles(t *testing.T) {
	good := string(sample(t).Bytes())
	first, _, _ := strings.Cut(good[strings.Index(good, "read "):], "\n")
	for _, c := range []struct{ old, new, want, reason string }{
		{"access@v1", "access@v2", "line 1", "another version"},
		{"log log.example/trials\n", "", "line 2", "no log"},
		{"trial 01", "trial A1", "line 3", "an id in upper case"},
		{"streams open", "streams shut", "canonically", "another class"},
		{"number 3", "number 0", "line 5", "number 0"},
		{"number 3", "number 03", "line 5", "a leading zero"},
		{" monitor ", " visitor ", "line 6", "another role"},
		{" entries ", " tea-leaves ", "line 6", "something else read"},
		{first[26:30], strings.ToLower(first[26:30]) + "x", "line 6", "another fingerprint"},
		{" 1 14", " 1 14 1", "line 6", "another field"},
		{" 1 14", " 1  14", "line 6", "two blanks"},
		{"12:00:00Z", "12:00:00.5Z", "line 6", "a fraction of a second"},
		{"\nread", "\nwrite", "line 6", "not a read"},
	} {
		b := strings.Replace(good, c.old, c.new, 1)
		if b == good {
			t.Fatalf("%s changes nothing", c.reason)
		}
		if _, err := Parse([]byte(b)); !errors.Is(err, text.ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", c.reason, err, c.want)
		}
	}
	if _, err := Parse([]byte(good[:strings.Index(good, "read ")])); !errors.Is(err, text.ErrFormat) {
		t.Errorf("no record: %v", err)
	}
}

// Whatever parses is the only text of its value.
func FuzzParse(f *testing.F) {
	f.Add(sample(f).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := Parse(b); err == nil && !bytes.Equal(got.Bytes(), b) {
			t.Fatalf("%q is read as %q", b, got.Bytes())
		}
	})
}
