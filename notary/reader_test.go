package notary_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// ask is a request by a key, as of the service's time.
func (w *world) ask(k statement.PrivateKey, change ...func(*request.Read)) *request.Read {
	w.t.Helper()
	r := request.Read{Log: origin, Method: "GET", Path: "/streams", Time: w.clock().Truncate(time.Second)}
	for _, f := range change {
		f(&r)
	}
	b, err := r.Sign(k)
	if err != nil {
		w.t.Fatal(err)
	}
	ask, err := request.ParseRead(b)
	if err != nil {
		w.t.Fatal(err)
	}
	return ask
}

func (tr *trial) streamID(name string) statement.StreamID {
	if name == "trial" {
		return tr.stream
	}
	if name == "registration" {
		return tr.reg.Stream()
	}
	return statement.StreamIDOf(origin, tr.id, name, tr.salts[name])
}

// as returns a change of an enrolment to another role.
func as(role statement.Role) func(*statement.Statement) {
	return func(s *statement.Statement) { s.Keys[0].Role = role }
}

// team is a trial with a key of every role, each in a stream of its own that holds
// one statement, all sealed.
func (w *world) team() (*trial, map[string]statement.PrivateKey) {
	w.t.Helper()
	tr := w.newTrial("NCT01234567", statement.Also{Trial: "ISRCTN01234567"})
	w.mustSubmit(tr.reg)
	w.mustDrain()
	keys := map[string]statement.PrivateKey{"sponsor": w.sponsor, "recovery": w.recovery}
	roles := []statement.Role{"site", "monitor", "board", "inspector", "laboratory", "dsmb"}
	for _, role := range roles {
		keys[string(role)] = newKey(w.t, string(role)+".key")
		w.mustSubmit(w.enrol(tr, w.sponsor, string(role), keys[string(role)].Public(), as(role)))
	}
	w.mustDrain()
	for _, role := range roles {
		w.mustSubmit(w.data(tr, string(role), keys[string(role)]))
	}
	w.mustDrain()
	return tr, keys
}

// read returns what the three reads of a stream answer, and nil if none answers.
func (w *world) read(k statement.PrivateKey, stream statement.StreamID) []byte {
	w.t.Helper()
	ctx := context.Background()
	entries, err := w.svc.Entries(ctx, w.ask(k), stream, 1)
	statements, err2 := w.svc.Statements(ctx, w.ask(k), stream, 1)
	at, err3 := w.svc.StreamAt(ctx, w.ask(k), stream, 0)
	if (err == nil) != (err2 == nil) || (err == nil) != (err3 == nil) {
		w.t.Fatalf("one read is allowed and another is not: %v, %v, %v", err, err2, err3)
	}
	if err != nil {
		if err != notary.ErrUnreadable || err2 != err || err3 != err {
			w.t.Fatalf("refused with %v, %v, %v", err, err2, err3)
		}
		return nil
	}
	return slices.Concat(entries.Body, statements.Body, at)
}

// TestWhoReadsWhat reads every stream of a trial with every key, and with each of
// them after its right has ended.
func TestWhoReadsWhat(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, keys := w.team()
	open := []string{"registration", "trial", "site", "monitor", "board", "inspector"}
	all := append(slices.Clone(open), "laboratory", "dsmb")
	for key, want := range map[string][]string{
		"sponsor": open, "recovery": open, "monitor": open, "board": open, "inspector": all, "dsmb": all,
		"site": {"registration", "site"}, "laboratory": {"registration", "laboratory"},
	} {
		for _, stream := range all {
			got := w.read(keys[key], tr.streamID(stream))
			if (got != nil) != slices.Contains(want, stream) {
				t.Errorf("%s reads %s: %v", key, stream, got != nil)
			}
			if got != nil && !bytes.Contains(got, []byte("\nseq 1\n")) {
				t.Errorf("%s reads nothing in %s", key, stream)
			}
		}
	}
	// The registration stream of another id is one, too.
	also := statement.StreamIDOf(origin, "ISRCTN01234567", "registration", [32]byte{})
	if got := w.read(keys["site"], also); !bytes.Contains(got, tr.reg.Raw) {
		t.Error("a site does not read the registration of another id of its trial")
	}

	// Twins, each refused: a key of another trial, a stranger, one that was revoked,
	// one past its until.
	other := w.newTrial("NCT07654321")
	theirs := newKey(t, "monitor.key")
	w.mustSubmit(other.reg)
	w.mustDrain()
	w.mustSubmit(w.enrol(other, w.sponsor, "monitor", theirs.Public(), as("monitor")))
	late := newKey(t, "inspector.two")
	w.mustSubmit(w.enrol(tr, w.sponsor, "inspector", late.Public(), as("inspector"), func(s *statement.Statement) {
		s.Until = w.now.Add(time.Hour).Truncate(time.Second)
	}))
	w.mustDrain()
	for _, stream := range all {
		if w.read(theirs, tr.streamID(stream)) != nil {
			t.Errorf("another trial's monitor reads %s", stream)
		}
		if w.read(w.stranger, tr.streamID(stream)) != nil {
			t.Errorf("a stranger reads %s", stream)
		}
		if w.read(late, tr.streamID(stream)) == nil {
			t.Errorf("an inspector does not read %s", stream)
		}
	}
	w.mustSubmit(w.revoke(tr, w.sponsor, "monitor", keys["monitor"].Public()), w.revoke(tr, w.sponsor, "site", keys["site"].Public()))
	w.mustDrain()
	w.later(2 * time.Hour)
	for _, stream := range all {
		for name, k := range map[string]statement.PrivateKey{"revoked monitor": keys["monitor"], "revoked site": keys["site"], "inspector past until": late} {
			if w.read(k, tr.streamID(stream)) != nil {
				t.Errorf("a %s reads %s", name, stream)
			}
		}
	}
}

// TestUnreadableIsUnknown: to a blinded key a closed stream is one that does not
// exist, in the answer and in what the service does before it, whatever it had
// cached.
func TestUnreadableIsUnknown(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, keys := w.team()
	for _, warm := range []bool{false, true} {
		for _, key := range []string{"sponsor", "monitor", "board", "recovery", "site"} {
			var seen [2][]string
			for i, stream := range []statement.StreamID{tr.streamID("dsmb"), random32()} {
				store := storetest.NewFaulty(w.store, nil)
				svc := w.process(store)
				if warm {
					if _, err := svc.Entries(context.Background(), w.ask(keys[key]), tr.reg.Stream(), 1); err != nil {
						t.Fatal(err)
					}
				}
				before := len(store.Calls())
				for _, read := range []func() error{
					func() error { _, err := svc.Entries(context.Background(), w.ask(keys[key]), stream, 1); return err },
					func() error { _, err := svc.Statements(context.Background(), w.ask(keys[key]), stream, 1); return err },
					func() error { _, err := svc.StreamAt(context.Background(), w.ask(keys[key]), stream, 0); return err },
					func() error { _, err := svc.StreamAt(context.Background(), w.ask(keys[key]), stream, 99); return err },
				} {
					if err := read(); err != notary.ErrUnreadable {
						t.Fatalf("%s: %v", key, err)
					}
				}
				for _, c := range store.Calls()[before:] {
					seen[i] = append(seen[i], c.Op)
				}
			}
			if !slices.Equal(seen[0], seen[1]) {
				t.Errorf("%s (warm %v): a closed stream is looked for with %q, an unknown one with %q", key, warm, seen[0], seen[1])
			}
		}
	}
}

func TestRequestsOfAnotherTimeOrLog(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, _, _ := w.registered()
	read := func(change func(*request.Read)) error {
		_, err := w.svc.Entries(context.Background(), w.ask(w.sponsor, change), tr.stream, 1)
		return err
	}
	var late *notary.Untimely
	for d, good := range map[time.Duration]bool{0: true, -4 * time.Minute: true, 4 * time.Minute: true, -6 * time.Minute: false, 6 * time.Minute: false} {
		err := read(func(r *request.Read) { r.Time = r.Time.Add(d) })
		if good != (err == nil) || !good && (!errors.As(err, &late) || late.Now.IsZero()) {
			t.Errorf("%v from the service's time: %v", d, err)
		}
	}
	var no *notary.Rejection
	if err := read(func(r *request.Read) { r.Log = "other.example" }); !errors.As(err, &no) {
		t.Errorf("for another log: %v", err)
	}
}

// TestReadsVerify: what the reads of a stream return is all there is of it, and the
// proof of that.
func TestReadsVerify(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	var notes []*statement.Note
	for range 3 {
		n := w.data(tr, "site-001", one)
		notes = append(notes, n)
		w.mustSubmit(n)
		w.mustDrain()
	}
	ctx, stream := context.Background(), tr.streamID("site-001")
	p, err := w.svc.Entries(ctx, w.ask(one), stream, 1)
	if err != nil || p.Next != 0 {
		t.Fatalf("next %d, %v", p.Next, err)
	}
	leaves := strings.SplitAfter(string(p.Body), "\n")
	log := w.check(w.store)
	for batch := uint64(1); batch <= log.Batches; batch++ {
		b, err := w.svc.StreamAt(ctx, w.ask(one), stream, batch)
		if err != nil {
			t.Fatal(err)
		}
		a, err := text.ParseArchive(b, notary.StreamVersion, 0)
		if err != nil || len(a.Parts) != 3 {
			t.Fatalf("%q, %v", b, err)
		}
		leaf, err := entry.ParseBatch(a.Parts[0].Data)
		if err != nil || leaf.Number != batch {
			t.Fatalf("batch %d: %+v, %v", batch, leaf, err)
		}
		proof, err := checkpoint.ParseProof(a.Parts[1].Data)
		if err != nil {
			t.Fatal(err)
		}
		cp, err := checkpoint.Parse(proof.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		if err := tile.VerifyInclusion(tile.LeafHash(a.Parts[0].Data), leaf.Index, cp.Size, proof.Hashes, cp.Root); err != nil {
			t.Fatal(err)
		}
		m, err := streammap.ParseProof(a.Parts[2].Data)
		if err != nil || m.Stream != stream || m.Verify(leaf.MapRoot) != nil {
			t.Fatalf("map proof of batch %d: %+v, %v", batch, m, err)
		}
		head := [32]byte{}
		for seq := range m.Count {
			head = streammap.Fold(head, tile.LeafHash([]byte(strings.Join(leaves[6*seq:6*seq+6], ""))))
		}
		if head != m.Head {
			t.Errorf("batch %d: the first %d entries do not give its head", batch, m.Count)
		}
	}
	if _, err := w.svc.StreamAt(ctx, w.ask(one), stream, log.Batches+1); !errors.Is(err, notary.ErrNotFound) {
		t.Errorf("a batch to come: %v", err)
	}
	for from := uint64(1); from <= 5; from++ {
		p, err := w.svc.Statements(ctx, w.ask(one), stream, from)
		if err != nil {
			t.Fatal(err)
		}
		a, err := text.ParseArchive(p.Body, notary.StatementsVersion, 0)
		if err != nil || len(a.Parts) != max(0, 4-int(from)) {
			t.Fatalf("from %d: %q, %v", from, p.Body, err)
		}
		for i, part := range a.Parts {
			seq := int(from) + i
			if part.Name != fmt.Sprintf("statement-%d", seq) || !bytes.Equal(part.Data, notes[seq-1].Raw) {
				t.Errorf("%s is another statement", part.Name)
			}
		}
	}
	if p, err := w.svc.Entries(ctx, w.ask(one), stream, 3); err != nil || string(p.Body) != strings.Join(leaves[12:], "") {
		t.Errorf("from seq 3: %q, %v", p.Body, err)
	}
	if p, err := w.svc.Entries(ctx, w.ask(one), stream, 4); err != nil || len(p.Body) != 0 || p.Next != 0 {
		t.Errorf("after the end: %+v, %v", p, err)
	}
}

// TestOnlyPublishedIsRead: what a batch that is committed and not published adds is
// not there yet, though its rows may be.
func TestOnlyPublishedIsRead(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	w.mustSubmit(w.data(tr, "site-001", one))
	dying := storetest.NewFaulty(w.store, storetest.OnOp("SwapHead", 1, storetest.KillBefore)) // rows written, head not
	if _, err := w.process(dying).Seal(context.Background()); err == nil {
		t.Fatal("nothing died")
	}
	stream := tr.streamID("site-001")
	p, err := w.svc.Entries(context.Background(), w.ask(one), stream, 1)
	if err != nil || len(p.Body) != 0 {
		t.Fatalf("an entry of an unpublished batch is shown: %q, %v", p.Body, err)
	}
	w.mustDrain()
	if p, err = w.svc.Entries(context.Background(), w.ask(one), stream, 1); err != nil || len(p.Body) == 0 {
		t.Fatalf("%q, %v", p.Body, err)
	}
}

// TestPagesAreBounded fills a stream beyond one page of either kind.
func TestPagesAreBounded(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	const n = 2400
	for i := 0; i < n; i += 100 {
		var notes []*statement.Note
		for range 100 {
			notes = append(notes, w.data(tr, "site-001", one, func(s *statement.Statement) {
				s.About = nil
				for range statement.MaxAbout {
					s.About = append(s.About, random32())
				}
				s.Reason = strings.Repeat("x", statement.MaxReason)
				s.Label = strings.Repeat("y", statement.MaxLabel)
			}))
		}
		w.mustSubmit(notes...)
	}
	w.mustDrain()
	ctx, stream := context.Background(), tr.streamID("site-001")
	seen, pages := uint64(0), 0
	for from := uint64(1); from != 0; {
		p, err := w.svc.Statements(ctx, w.ask(one), stream, from)
		if err != nil || len(p.Body) > notary.MaxPage {
			t.Fatalf("a page of %d bytes, %v", len(p.Body), err)
		}
		seen += uint64(bytes.Count(p.Body, []byte("-- statement-")))
		pages++
		if p.Next != 0 && p.Next != seen+1 {
			t.Fatalf("%d statements are followed by a page from %d", seen, p.Next)
		}
		from = p.Next
	}
	if seen != n || pages < 2 {
		t.Errorf("%d of %d statements on %d pages", seen, n, pages)
	}
}
