package notary_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/access"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
	"trialnotary/notary/text"
)

// trail is what the service shows a key of a trial's trail, verified: the records of
// open and of closed streams.
func (w *world) trail(svc *notary.Service, tr *trial, k statement.PrivateKey) (open, closed []access.Record) {
	w.t.Helper()
	service, files := w.trailFiles(svc, tr, k)
	for _, class := range []string{"open", "closed"} {
		records, err := access.Verify(origin, tr.stream, class == "closed", service, files[class])
		if err != nil {
			w.t.Fatalf("the trail of %s streams does not verify: %v", class, err)
		}
		if class == "open" {
			open = records
		} else {
			closed = records
		}
	}
	return open, closed
}

func (w *world) trailFiles(svc *notary.Service, tr *trial, k statement.PrivateKey) (service statement.PublicKey, files map[string][]access.Anchored) {
	w.t.Helper()
	p, err := svc.Access(context.Background(), w.ask(k), tr.stream, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := text.ParseArchive(p.Body, notary.AccessVersion, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	files = map[string][]access.Anchored{}
	for _, part := range a.Parts {
		what, rest, _ := strings.Cut(part.Name, "-")
		_, class, _ := strings.Cut(rest, "-")
		switch what {
		case "registration":
			if service, err = access.ServiceKey(part.Data); err != nil {
				w.t.Fatal(err)
			}
		case "statement":
			files[class] = append(files[class], access.Anchored{Statement: part.Data})
		case "records":
			files[class][len(files[class])-1].Records = part.Data
		}
	}
	return service, files
}

// anchored seals until everything read up to now is anchored and sealed.
func (w *world) anchored(svc *notary.Service) {
	w.t.Helper()
	w.later(time.Hour)
	if err := drain(svc); err != nil {
		w.t.Fatal(err)
	}
}

// TestEveryReadIsInTheTrail reads as different people do and finds all of it, with who
// it was; and the blinded do not see what was read of closed streams.
func TestEveryReadIsInTheTrail(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) { everyReadIsInTheTrail(t, newWorld(t, open(t))) })
	}
}

func everyReadIsInTheTrail(t *testing.T, w *world) {
	tr, keys := w.team()
	w.accepts = map[notary.Ref][]byte{}
	want := map[string][]string{}
	for _, step := range []struct{ key, stream string }{{"monitor", "site"}, {"site", "site"}, {"inspector", "dsmb"}, {"monitor", "dsmb"},
		{"laboratory", "laboratory"}, {"sponsor", "trial"}, {"board", "registration"}} {
		if w.read(keys[step.key], tr.streamID(step.stream)) == nil {
			continue // refused: nothing was read
		}
		class := "open"
		if step.stream == "dsmb" || step.stream == "laboratory" {
			class = "closed"
		}
		last := 1 // seq
		if step.stream == "trial" {
			last = 6
		}
		for _, what := range []string{"entries %s 1 " + strconv.Itoa(last), "statements %s 1 " + strconv.Itoa(last), "history %s 3 3"} {
			want[class] = append(want[class], keys[step.key].Public().Fingerprint()+" "+step.key+" "+fmt.Sprintf(what, tr.streamID(step.stream)))
		}
	}
	w.anchored(w.svc)
	said := func(records []access.Record) (s []string) {
		for _, r := range records {
			if r.What != access.Trail {
				s = append(s, fmt.Sprintf("%s %s %s %s %d %d", r.Key, r.Role, r.What, r.Stream, r.From, r.To))
			}
		}
		return s
	}
	open, closed := w.trail(w.svc, tr, keys["inspector"])
	if got := said(open); !slices.Equal(got, want["open"]) {
		t.Errorf("open streams:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want["open"], "\n"))
	}
	if got := said(closed); !slices.Equal(got, want["closed"]) {
		t.Errorf("closed streams:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want["closed"], "\n"))
	}
	for _, key := range []string{"sponsor", "recovery", "monitor", "board"} {
		p, err := w.svc.Access(context.Background(), w.ask(keys[key]), tr.stream, 1)
		if err != nil || bytes.Contains(p.Body, []byte("closed")) || bytes.Contains(p.Body, []byte(tr.streamID("dsmb").String())) ||
			bytes.Contains(p.Body, []byte(tr.streamID("laboratory").String())) {
			t.Errorf("%s learns of reads of closed streams: %s, %v", key, p.Body, err)
		}
	}
	for _, key := range []string{"site", "laboratory"} {
		if _, err := w.svc.Access(context.Background(), w.ask(keys[key]), tr.stream, 1); err != notary.ErrUnreadable {
			t.Errorf("%s reads the trail: %v", key, err)
		}
	}
	if _, err := w.svc.Access(context.Background(), w.ask(keys["inspector"]), tr.streamID("site"), 1); err != notary.ErrUnreadable {
		t.Errorf("a trail of one stream: %v", err)
	}
	// Who reads the trail stands in it.
	w.read(keys["inspector"], tr.streamID("dsmb"))
	w.anchored(w.svc)
	w.read(keys["inspector"], tr.streamID("dsmb"))
	w.anchored(w.svc)
	if _, err := w.svc.Access(context.Background(), w.ask(keys["inspector"]), tr.stream, 1); err != nil {
		t.Fatal(err)
	}
	w.anchored(w.svc)
	// Nor do the numbers of what they see tell of it.
	p, err := w.svc.Access(context.Background(), w.ask(keys["monitor"]), tr.stream, 1)
	if err != nil {
		t.Fatal(err)
	}
	for n, m := range regexp.MustCompile(`(?m)^-- statement-(.*)-open --$`).FindAllStringSubmatch(string(p.Body), -1) {
		if m[1] != strconv.Itoa(n+1) {
			t.Errorf("file %d of the trail has the number %s", n+1, m[1])
		}
	}
	w.anchored(w.svc)
	open, _ = w.trail(w.svc, tr, keys["inspector"])
	reads := 0
	for _, r := range open {
		if r.What == access.Trail {
			reads++
		}
	}
	if reads != 1+4+1+1 {
		t.Errorf("%d reads of the trail are in it, want 7", reads)
	}
	w.check(w.store)
}

// TestTrailTamperingIsNoticed deletes and changes what the service keeps of its trail.
func TestTrailTamperingIsNoticed(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, keys := w.team()
	for range 3 {
		w.read(keys["monitor"], tr.streamID("site"))
		w.anchored(w.svc)
	}
	service, files := w.trailFiles(w.svc, tr, w.sponsor)
	good := files["open"]
	if records, err := access.Verify(origin, tr.stream, false, service, good); err != nil || len(records) != 9 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	// What stands in the log anchors them.
	log := w.check(w.store)
	for _, a := range good {
		if !slices.ContainsFunc(log.Entries, func(e entry.Entry) bool { return e.Statement == statement.IDOf(a.Statement) }) {
			t.Error("an access statement is not in the log")
		}
	}
	for name, change := range map[string]func(a []access.Anchored) []access.Anchored{
		"records deleted":  func(a []access.Anchored) []access.Anchored { a[1].Records = nil; return a },
		"a record deleted": func(a []access.Anchored) []access.Anchored { a[1].Records = cutLine(a[1].Records); return a },
		"a time changed": func(a []access.Anchored) []access.Anchored {
			a[2].Records = bytes.Replace(a[2].Records, []byte("T1"), []byte("T0"), 1)
			return a
		},
		"a role changed": func(a []access.Anchored) []access.Anchored {
			a[0].Records = bytes.Replace(a[0].Records, []byte("monitor"), []byte("sponsor"), 1)
			return a
		},
		"a file left out":    func(a []access.Anchored) []access.Anchored { return append(a[:1:1], a[2]) },
		"the first left out": func(a []access.Anchored) []access.Anchored { return a[1:] },
		"two exchanged":      func(a []access.Anchored) []access.Anchored { a[0], a[1] = a[1], a[0]; return a },
		"files exchanged": func(a []access.Anchored) []access.Anchored {
			a[0].Records, a[1].Records = a[1].Records, a[0].Records
			return a
		},
		"one twice": func(a []access.Anchored) []access.Anchored { return append(a, a[2]) },
	} {
		if _, err := access.Verify(origin, tr.stream, false, service, change(slices.Clone(good))); err == nil {
			t.Errorf("%s: nobody notices", name)
		}
	}
	if _, err := access.Verify(origin, tr.stream, false, w.stranger.Public(), good); err == nil {
		t.Error("another key's statements pass for the service's")
	}
	if _, err := access.Verify(origin, tr.streamID("site"), false, service, good); err == nil {
		t.Error("another trial's files pass for this one's")
	}
	if _, err := access.Verify(origin, tr.stream, true, service, good); err == nil {
		t.Error("files of open streams pass for those of closed ones")
	}

	// Deleted at the service: it says that they are gone, and the verifier says so.
	if err := w.store.DeleteState(context.Background(), "access/"+tr.stream.String()+"/"+statement.IDOf(good[1].Statement).String()); err != nil {
		t.Fatal(err)
	}
	_, files = w.trailFiles(w.svc, tr, w.sponsor)
	if _, err := access.Verify(origin, tr.stream, false, service, files["open"]); err == nil || !strings.Contains(err.Error(), "deleted") {
		t.Errorf("records deleted at the service: %v", err)
	}
}

func cutLine(file []byte) []byte {
	return file[:bytes.LastIndexByte(file[:len(file)-1], '\n')+1]
}

// TestNoAnswerWithoutTrail fails the store at every call of every read: what is
// answered is in the trail, also when another process finishes it.
func TestNoAnswerWithoutTrail(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, keys := w.team()
	stream := tr.streamID("site")
	reads := map[string]func(*notary.Service) error{
		access.Entries: func(s *notary.Service) error {
			_, err := s.Entries(context.Background(), w.ask(keys["monitor"]), stream, 1)
			return err
		},
		access.Statements: func(s *notary.Service) error {
			_, err := s.Statements(context.Background(), w.ask(keys["monitor"]), stream, 1)
			return err
		},
		access.History: func(s *notary.Service) error {
			_, err := s.StreamAt(context.Background(), w.ask(keys["monitor"]), stream, 2)
			return err
		},
		access.Trail: func(s *notary.Service) error {
			_, err := s.Access(context.Background(), w.ask(keys["monitor"]), tr.stream, 1)
			return err
		},
	}
	answered := map[string]int{}
	tried := 0
	for what, read := range reads {
		good := storetest.NewFaulty(w.store, nil)
		if err := read(w.process(good)); err != nil {
			t.Fatal(err)
		}
		answered[what]++
		calls := good.Calls()
		if last := calls[len(calls)-1]; last.Op != "SwapRow" {
			t.Errorf("%s: after the trail was written, %v was called", what, last)
		}
		for n := range calls {
			for _, fault := range storetest.Faults() {
				if err := read(w.process(storetest.NewFaulty(w.store, storetest.At(n, fault)))); err == nil {
					answered[what]++
				}
				tried++
			}
		}
	}
	w.anchored(w.svc)
	open, _ := w.trail(w.svc, tr, w.sponsor)
	got := map[string]int{}
	for _, r := range open {
		got[r.What]++
	}
	for what, n := range answered {
		if got[what] < n || n < 2 {
			t.Errorf("%d %s reads were answered, %d are in the trail", n, what, got[what])
		}
	}
	if tried < 100 {
		t.Errorf("only %d faults", tried)
	}
}

// TestTrailFaultMatrix injects every fault at every call while reads are anchored, and
// lets the same process go on or another take over: every record is anchored exactly
// once, and the log is whole.
func TestTrailFaultMatrix(t *testing.T) {
	type evening struct {
		*world
		tr   *trial
		keys map[string]statement.PrivateKey
	}
	begin := func(t *testing.T) *evening {
		w := newWorld(t, storetest.NewMemory())
		tr, keys := w.team()
		w.read(keys["monitor"], tr.streamID("site"))
		w.read(keys["inspector"], tr.streamID("dsmb"))
		w.later(time.Hour)
		return &evening{w, tr, keys}
	}
	end := func(e *evening, svc *notary.Service) {
		e.t.Helper()
		if err := drain(svc); err != nil {
			e.t.Fatalf("the next process does not seal: %v", err)
		}
		open, closed := e.trail(svc, e.tr, e.keys["inspector"])
		if len(open) != 3 || len(closed) != 3 {
			e.t.Fatalf("%d and %d records are anchored, want 3 and 3", len(open), len(closed))
		}
		log := e.check(e.store)
		if len(log.Entries) != 2+6+6+1+2 { // registration under two ids, enrolments, data, the service's registration, two files
			e.t.Fatalf("%d entries", len(log.Entries))
		}
	}
	e := begin(t)
	good := storetest.NewFaulty(e.store, nil)
	if err := drain(e.process(good)); err != nil {
		t.Fatal(err)
	}
	end(e, e.process(e.store))
	calls := good.Calls()
	if len(calls) < 40 {
		t.Fatalf("only %d calls", len(calls))
	}
	for n, call := range calls {
		if testing.Short() && n%4 != 0 {
			continue
		}
		for _, fault := range storetest.Faults() {
			for _, takeover := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d-%s/%v/takeover=%v", n, call.Op, fault, takeover), func(t *testing.T) {
					e := begin(t)
					f := storetest.NewFaulty(e.store, storetest.At(n, fault))
					first := e.process(f)
					var err error
					for try := 0; try < 20; try++ {
						if err = drain(first); err == nil || takeover || f.Dead() {
							break
						}
					}
					if err != nil && !takeover && !f.Dead() {
						t.Fatalf("the process did not recover: %v", err)
					}
					end(e, e.process(e.store))
					if takeover && !f.Dead() {
						if err := drain(first); err != nil && !errors.Is(err, storetest.ErrInjected) && !errors.Is(err, storetest.ErrKilled) {
							t.Fatalf("the late process: %v", err)
						}
						e.check(e.store)
					}
				})
			}
		}
	}
}
