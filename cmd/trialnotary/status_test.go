package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// A stream is overdue when who seals there has been quiet for longer than --quiet;
// one whose keys have all ended, and one of a monitor, never is.
func TestStatusTellsWhoIsOverdue(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"jane", "john", "mona", "gone"} {
		d.run("keygen", "--name", name, "--no-passphrase", "--out", d.path(name+".key"))
	}
	enrol := func(stream, name string, more ...string) {
		d.run(append([]string{"enrol", d.path("T.trial"), stream, d.path(name + ".key.pub"), "--out", d.path(name + ".invite")}, more...)...)
	}
	enrol("site-1", "jane", "--person", "=HYPERLINK(1)")
	enrol("site-2", "john")
	enrol("monitor-1", "mona", "--role", "monitor")
	enrol("site-3", "gone")
	d.run("revoke", d.path("T.trial"), d.path("gone.key.pub"), "--reason", "left")
	d.fill(d.notary, d.path("jane.invite"), d.path("jane.key"), 3)
	d.settle()

	status := func(args ...string) map[string]streamStatus {
		var s trialStatus
		if err := json.Unmarshal([]byte(d.run(append([]string{"status", d.path("T.trial"), "--json"}, args...)...)), &s); err != nil {
			t.Fatal(err)
		}
		rows := map[string]streamStatus{}
		for _, r := range s.Streams {
			rows[r.Stream] = r
		}
		return rows
	}
	overdue := func(rows map[string]streamStatus) (all string) {
		for _, name := range []string{"trial", "site-1", "site-2", "site-3", "monitor-1"} {
			if rows[name].Overdue {
				all += name + " "
			}
		}
		return all
	}
	now := status()
	if got := overdue(now); got != "" || now["site-1"].Entries != 3 || now["site-1"].Last == nil || now["site-2"].Last != nil || now["trial"].Entries != 5 || now["site-3"].Ended != 1 {
		t.Errorf("now: overdue %q, %+v", got, now)
	}
	const later = 40 * 24 * time.Hour
	d.ahead.Store(int64(later))
	d.now = func() time.Time { return time.Now().Add(later) }
	if got := overdue(status()); got != "site-1 site-2 " {
		t.Errorf("after 40 days: overdue %q", got)
	}
	if got := overdue(status("--quiet", "6w")); got != "" {
		t.Errorf("with --quiet 6w: overdue %q", got)
	}
	out := d.run("status", d.path("T.trial"), "--csv", d.path("s.csv"), "--html", d.path("s.html"))
	if !strings.Contains(out, "2 overdue (quiet for more than 31d)") || !strings.Contains(out, "nobody: every key has ended") {
		t.Error(out)
	}
	// No field of the spreadsheet is a formula.
	b, err := os.ReadFile(d.path("s.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 6 || !strings.HasPrefix(string(b), "\ufeff") || !strings.Contains(string(b), "'=HYPERLINK(1)") {
		t.Errorf("%v\n%s", err, b)
	}
	for _, r := range rows {
		for _, f := range r {
			if f != "" && strings.Contains("=+-@", f[:1]) {
				t.Errorf("%q runs in a spreadsheet", f)
			}
		}
	}
	page, err := os.ReadFile(d.path("s.html"))
	if err != nil || strings.Contains(string(page), "http://") || strings.Contains(string(page), "https://") || strings.Contains(string(page), "<script") ||
		strings.Count(string(page), `class="overdue"`) != 2 || !strings.Contains(string(page), "default-src 'none'") {
		t.Errorf("%v\n%s", err, page)
	}
}

func TestPeriods(t *testing.T) {
	for s, want := range map[string]time.Duration{"31d": 31 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "36h": 36 * time.Hour} {
		if got, err := parsePeriod(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "d", "0d", "-1d", "31", "3m", "1.5d", "99999d"} {
		if got, err := parsePeriod(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}
