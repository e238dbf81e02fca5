package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

const origin = "log.example/trials"

// objects is a log in memory.
type objects struct {
	mu    sync.Mutex
	all   map[string][]byte
	reads map[string]int
	// answer, if not nil, may answer in place of the log.
	answer func(name string, nth int) (b []byte, err error, ours bool)
}

func (o *objects) Read(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads[name]++
	if o.answer != nil {
		if b, err, ours := o.answer(name, o.reads[name]); ours {
			return b, err
		}
	}
	b, ok := o.all[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return b, nil
}

func (o *objects) List(f func(string) error) error {
	for _, name := range slices.Sorted(maps.Keys(o.all)) {
		if name != "checkpoint" {
			if err := f(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// world is an operator who can lie, and the log that results.
type world struct {
	t       testing.TB
	log     *objects
	signers []checkpoint.Signer
	own     *checkpoint.Policy
	edge    *tile.Edge
	values  map[statement.StreamID]streammap.Value
	now     time.Time
	batch   uint64
	dropped []tile.Object // what the next batch still has to publish
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, log: &objects{all: map[string][]byte{}, reads: map[string]int{}}, edge: &tile.Edge{}, values: map[statement.StreamID]streammap.Value{},
		now: time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)}
	ed, err := checkpoint.GenerateEd25519(origin)
	w.check(err)
	ml, err := checkpoint.GenerateMLDSA44(origin)
	w.check(err)
	w.signers = []checkpoint.Signer{ed, ml}
	w.own, err = checkpoint.NewLogPolicy(ed.VerifierKey(), ml.VerifierKey())
	w.check(err)
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// lie is what an operator does to a batch.
type lie struct {
	entry  func(i int, e *entry.Entry) // before it is entered
	unseen func(i int) bool            // the map does not know of it
	leaf   func(*entry.Batch)
	head   func(*checkpoint.Head)
	signed func(*checkpoint.Checkpoint)
	final  func(*checkpoint.Checkpoint)
	noneOf string // "final": no quorum; "signed": not signed either
}

// stream and id are those of test data.
func stream(n int) (id statement.StreamID) {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("stream"), uint64(n)))
}

func id(n int) (id statement.ID) {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("statement"), uint64(n)))
}

// seal seals a batch of n entries, in streams of their own and of others.
func (w *world) seal(n int, l lie) {
	w.t.Helper()
	w.batch++
	w.now = w.now.Add(time.Minute)
	first := w.edge.Size()
	for i := range n {
		index := w.edge.Size()
		e := entry.Entry{Index: index, Batch: w.batch, Time: w.now, Stream: stream(int(index) * 7 % 23), Statement: id(int(index))}
		e.Seq = w.values[e.Stream].Count + 1
		if l.entry != nil {
			l.entry(i, &e)
		}
		b := e.Append(nil)
		w.edge.Append(b)
		if l.unseen == nil || !l.unseen(i) {
			v := w.values[e.Stream]
			w.values[e.Stream] = streammap.Value{Count: v.Count + 1, Head: streammap.Fold(v.Head, tile.LeafHash(b))}
		}
	}
	leaf := entry.Batch{Index: w.edge.Size(), Number: w.batch, Time: w.now, First: first, Streams: uint64(len(w.values)), MapRoot: streammap.RootOf(w.values)}
	if l.leaf != nil {
		l.leaf(&leaf)
	}
	w.edge.Append(leaf.Append(nil))
	for _, o := range w.edge.Objects() {
		w.log.all[o.Name] = bytes.Clone(o.Data)
	}
	h := checkpoint.Head{Batch: w.batch, Size: w.edge.Size(), Root: w.edge.Root()}
	size := h.Size
	c := checkpoint.Checkpoint{Origin: origin, Size: h.Size, Root: h.Root}
	if l.head != nil {
		l.head(&h)
	}
	w.log.all[checkpoint.HeadName(w.batch)] = h.Bytes()
	if l.noneOf == "signed" {
		return
	}
	signed := c
	if l.signed != nil {
		l.signed(&signed)
	}
	raw := w.sign(signed)
	w.log.all[checkpoint.SignedName(w.batch)] = raw
	if l.noneOf == "final" {
		return
	}
	if l.final != nil {
		l.final(&c)
		raw = w.sign(c)
	} else if l.signed != nil {
		raw = w.sign(c)
	}
	w.log.all[checkpoint.FinalName(size)] = raw
	w.log.all["checkpoint"] = raw
}

func (w *world) sign(c checkpoint.Checkpoint) []byte {
	w.t.Helper()
	raw, err := checkpoint.Sign(c, w.signers)
	w.check(err)
	return raw
}

// fork returns the same operator with another log from here on.
func (w *world) fork() *world {
	f := *w
	f.edge, f.values = w.edge.Clone(), maps.Clone(w.values)
	f.log = &objects{all: maps.Clone(w.log.all), reads: map[string]int{}}
	return &f
}

func (w *world) auditor() *Auditor {
	own := func(c checkpoint.Signed) error { _, err := w.own.Verify(c, nil); return err }
	return &Auditor{Log: w.log, Final: own, Own: own, Ahead: true}
}

// keeper is where an auditor keeps its state.
type keeper struct {
	t     testing.TB
	file  *os.File
	state []byte
}

func newKeeper(t testing.TB) *keeper {
	f, err := os.Create(filepath.Join(t.TempDir(), "seen"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &keeper{t: t, file: f}
}

// audit audits from where the keeper's state is.
func (w *world) audit(k *keeper, a *Auditor) (*Report, error) {
	w.t.Helper()
	s := &State{}
	if k.state != nil {
		var err error
		s, err = ParseState(bytes.Clone(k.state))
		w.check(err)
	}
	var err error
	a.Seen, err = s.OpenSeen(k.file)
	w.check(err)
	return a.Audit(w.t.Context(), s, func(s *State) error { k.state = bytes.Clone(s.Bytes()); return nil }, nil)
}

// clean audits and wants nothing found.
func (w *world) clean(k *keeper, size uint64) *Report {
	w.t.Helper()
	r, err := w.audit(k, w.auditor())
	if err != nil || r.To.Size != size {
		w.t.Fatalf("%+v, %v; want size %d", r, err, size)
	}
	return r
}

// wantFinding wants something found, and said of that object with these words.
func wantFinding(t testing.TB, err error, object, words string) {
	t.Helper()
	var all Findings
	if !errors.As(err, &all) || len(all) == 0 {
		t.Errorf("found nothing: %v; want %s: %s", err, object, words)
		return
	}
	for _, f := range all {
		if f.Object == object && bytes.Contains([]byte(f.Reason), []byte(words)) {
			return
		}
	}
	t.Errorf("found %v; want %s: %s", err, object, words)
}
