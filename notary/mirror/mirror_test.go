package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	formats "github.com/transparency-dev/formats/note"
	tessera "github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

func TestAMirrorIsTheLogAndGrowsWithIt(t *testing.T) {
	w, dir := newWorld(t), filepath.Join(t.TempDir(), "deep", "mirror")
	if r := w.mustUpdate(dir); r.Size != 2 || r.Before != 0 || r.Batches != 1 {
		t.Errorf("%+v", r)
	}
	w.same(dir)
	w.grow(3, 300, 1, 700) // over the end of bundles
	if r := w.mustUpdate(dir); r.Before != 2 || r.Size != 1010 || r.Batches != 5 || r.Objects == 0 {
		t.Errorf("%+v", r)
	}
	w.same(dir)
	if r := w.mustUpdate(dir); r.Objects != 0 || r.Before != r.Size {
		t.Errorf("nothing is new: %+v", r)
	}
	w.same(dir)
	// What is there already is not asked for again.
	w.asked = map[string]int{}
	w.grow(2)
	w.mustUpdate(dir)
	for _, name := range []string{checkpoint.HeadName(1), tile.BundlePath(0, 256), tile.HashPath(0, 0, 256)} {
		if w.asked[name] > 0 {
			t.Errorf("%s was asked for again", name)
		}
	}
	w.same(dir)
}

// shelf is a log of objects.
type shelf map[string][]byte

func (s shelf) Object(_ context.Context, name string) ([]byte, error) {
	b, ok := s[name]
	if !ok {
		return nil, notary.ErrNotFound
	}
	return b, nil
}

// Tiles of the third level: the way from the root down has more than one step.
func TestAMirrorOfManyLeaves(t *testing.T) {
	w := newWorld(t)
	keys := logKeys(t)
	policy, err := checkpoint.NewLogPolicy(keys[0].VerifierKey(), keys[1].VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	w.policy = policy
	log, edge := shelf{}, &tile.Edge{}
	for n, size := range []uint64{100, 65_000, 131_400} {
		for edge.Size() < size {
			edge.Append(fmt.Appendf(nil, "leaf %d\n", edge.Size()))
		}
		for _, o := range edge.Objects() {
			log[o.Name] = o.Data
		}
		batch := uint64(n + 1)
		log[checkpoint.HeadName(batch)] = checkpoint.Head{Batch: batch, Size: size, Root: edge.Root()}.Bytes()
		raw, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: size, Root: edge.Root()}, keys)
		if err != nil {
			t.Fatal(err)
		}
		log[checkpoint.SignedName(batch)], log[checkpoint.FinalName(size)], log[CheckpointName] = raw, raw, raw
	}
	o := w.options(t.TempDir())
	o.Source = log
	r, err := Update(t.Context(), o)
	if err != nil || r.Size != 131_400 || r.Batches != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	for name, want := range log {
		if got, err := os.ReadFile(filepath.Join(o.Dir, filepath.FromSlash(name))); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is another: %v", name, err)
		}
	}
	if n := len(names(t, o.Dir)); n != len(log)+1 {
		t.Errorf("the mirror has %d objects, the log %d and a trust file", n, len(log))
	}
	// A tile in the middle, and one above it.
	for _, name := range []string{tile.HashPath(0, 300, 256), tile.HashPath(1, 1, 256), tile.BundlePath(400, 256)} {
		good := log[name]
		log[name] = flip(good)
		o.Dir = t.TempDir()
		var no *Refused
		if _, err := Update(t.Context(), o); !errors.As(err, &no) || no.Object != name {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(names(t, o.Dir)); n > 1200 {
			t.Errorf("%s: %d objects were placed", name, n)
		}
		log[name] = good
	}
}

func TestAnEmptyLogHasNoMirror(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	w.alter[CheckpointName] = nil
	if _, err := Update(t.Context(), w.options(dir)); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
}

// Whatever of the log is wrong or missing is found before any of it has a final name
// under which it could be served, and said where.
func TestAHostileLogIsRefused(t *testing.T) {
	w := newWorld(t)
	w.grow(300, 2)
	held := t.TempDir()
	w.mustUpdate(held)
	w.grow(600, 3)
	whole := t.TempDir()
	w.mustUpdate(whole)
	for _, name := range append(names(t, whole), "checkpoint") {
		if name == TrustName || strings.Contains(name, ".p/") && !strings.Contains(name, "/003.p/140") && !strings.Contains(name, "tile/1/") {
			continue // partial ones of earlier sizes are computed, and not asked for
		}
		if strings.HasPrefix(name, "checkpoints/") && !strings.HasSuffix(name, "908") {
			continue // whether there was one, no one knows
		}
		good, err := w.Object(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for what, bad := range map[string][]byte{"changed": flip(good), "cut short": good[:len(good)-1], "gone": nil, "a page": []byte("<html>")} {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(held)); err != nil {
				t.Fatal(err)
			}
			w.alter = map[string][]byte{name: bad}
			w.asked = map[string]int{}
			_, err := Update(t.Context(), w.options(dir))
			if w.asked[name] == 0 {
				continue // of the part that is there already
			}
			var r *Refused
			if !errors.As(err, &r) && !errors.Is(err, ErrEmpty) {
				t.Errorf("%s %s: %v", name, what, err)
			}
			// Everything that has a final name is as in the log.
			w.alter = map[string][]byte{}
			for _, n := range names(t, dir) {
				got, _ := os.ReadFile(filepath.Join(dir, filepath.FromSlash(n)))
				want, err := os.ReadFile(filepath.Join(whole, filepath.FromSlash(n)))
				if n == CheckpointName {
					want, err = os.ReadFile(filepath.Join(held, n))
				}
				if strings.HasPrefix(n, "refused/") {
					continue
				}
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s %s: %s stands in the mirror and is not the log's", name, what, n)
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

func flip(b []byte) []byte {
	b = bytes.Clone(b)
	if at := len(b) - 40; at >= 0 {
		if b[at] == 'A' {
			b[at] = 'B'
		} else {
			b[at] = 'A'
		}
	}
	return b
}

// A log that was cut short or rewritten is refused; the mirror stays as it was, and
// both checkpoints are kept.
func TestARewrittenLogIsRefused(t *testing.T) {
	keys := logKeys(t)
	w := newWorld(t, keys...)
	w.grow(5)
	short, err := w.Object(t.Context(), CheckpointName)
	if err != nil {
		t.Fatal(err)
	}
	w.grow(5)
	for name, c := range map[string]struct {
		other func() *world
		words string
	}{
		"cut short":       {func() *world { w.alter = map[string][]byte{CheckpointName: short}; return w }, "cut short"},
		"of equal size":   {func() *world { o := newWorld(t, keys...); o.grow(5, 5); return o }, "another root"},
		"longer":          {func() *world { o := newWorld(t, keys...); o.grow(300); return o }, "not the beginning"},
		"shorter, forked": {func() *world { o := newWorld(t, keys...); o.grow(2); return o }, "cut short"},
	} {
		w.alter = map[string][]byte{}
		dir := t.TempDir()
		w.mustUpdate(dir)
		before, err := os.ReadFile(filepath.Join(dir, CheckpointName))
		if err != nil {
			t.Fatal(err)
		}
		o := c.other()
		lie := maps.Clone(o.alter)
		_, err = Update(t.Context(), o.options(dir))
		var r *Refused
		if !errors.As(err, &r) || !strings.Contains(r.Reason, c.words) || r.Evidence == "" {
			t.Fatalf("%s: %v", name, err)
		}
		shown, err := o.Object(t.Context(), CheckpointName)
		if err != nil {
			t.Fatal(err)
		}
		for file, want := range map[string][]byte{"held.checkpoint": before, "shown.checkpoint": shown} {
			got, err := os.ReadFile(filepath.Join(r.Evidence, file))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %s is not kept: %v", name, file, err)
			}
		}
		// Again is the same evidence, and once it is put away the mirror is what it was.
		o.alter = lie
		kept := r.Evidence
		if _, err := Update(t.Context(), o.options(dir)); !errors.As(err, &r) || r.Evidence != kept {
			t.Errorf("%s: the second time: %v", name, err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "refused")); err != nil {
			t.Fatal(err)
		}
		w.alter = map[string][]byte{}
		w.same(dir)
	}
}

// A change of the log's keys is copied, and only one of each number.
func TestChangesOfKeysAreCopied(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	const name = "handovers/00000000000000000001"
	next := logKeys(t)
	k, err := checkpoint.NewRetired(w.policy, checkpoint.Checkpoint{Origin: origin, Size: 2}, []string{next[0].VerifierKey(), next[1].VerifierKey()})
	if err == nil {
		err = k.Handover.Sign(next)
	}
	if err != nil {
		t.Fatal(err)
	}
	first, err := k.HandoverBytes()
	if err != nil {
		t.Fatal(err)
	}
	w.alter = map[string][]byte{name: first}
	w.mustUpdate(dir)
	if b, err := (Dir(dir)).Object(t.Context(), name); err != nil || !bytes.Equal(b, first) {
		t.Errorf("%q, %v", b, err)
	}
	for what, bad := range map[string][]byte{"another": bytes.Replace(first, []byte("until 2"), []byte("until 3"), 1), "none": []byte("<html>"), "huge": bytes.Repeat(first, 20_000)} {
		w.alter = map[string][]byte{name: bad}
		var r *Refused
		if _, err := Update(t.Context(), w.options(dir)); !errors.As(err, &r) || r.Object != name {
			t.Errorf("%s: %v", what, err)
		}
		if b, err := (Dir(dir)).Object(t.Context(), name); err != nil || !bytes.Equal(b, first) {
			t.Errorf("%s: it was changed: %v", what, err)
		}
	}
}

func TestAnotherLogIsNotMixedIn(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	w.mustUpdate(dir)
	o := newWorld(t) // the same name, other keys
	if _, err := Update(t.Context(), o.options(dir)); err == nil {
		t.Error("a log with other keys and the same name was taken")
	}
	// Not signed by the keys of the visitor's trust file.
	options := w.options(t.TempDir())
	options.Trust = o.trust()
	var r *Refused
	if _, err := Update(t.Context(), options); !errors.As(err, &r) || r.Object != CheckpointName {
		t.Error(err)
	}
}

func TestNoNameLeadsOutOfTheDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := Dir(filepath.Join(dir, "mirror"))
	for _, name := range []string{"../secret", "tile/../../secret", "/etc/passwd", "", ".", "refused/x", ".tmp/1", `tile\0`, "tile", "tile/0/000.p/../../../../secret"} {
		if b, err := d.Object(t.Context(), name); !errors.Is(err, notary.ErrNotFound) {
			t.Errorf("%q: %q, %v", name, b, err)
		}
	}
}

// An update that is interrupted leaves what it has, and the next goes on from there.
func TestAnUpdateGoesOn(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	for range groupObjects / 3 { // of four objects and more each
		w.grow(1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	options := w.options(dir)
	options.Show = func(size, of uint64) { cancel() }
	if _, err := Update(ctx, options); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	head, err := Dir(dir).lastHead(t.Context())
	if err != nil || head.Batch == 0 || head.Size == w.size() {
		t.Fatalf("it was to end between: %+v, %v", head, err)
	}
	w.asked = map[string]int{}
	w.mustUpdate(dir)
	if w.asked[checkpoint.HeadName(1)] > 0 {
		t.Error("it began anew")
	}
	w.same(dir)
}

// Tessera's fsck, which nobody here wrote, takes the directory as it is.
func TestTesseraTakesTheMirror(t *testing.T) {
	keys := logKeys(t)
	w, dir := newWorld(t, keys...), t.TempDir()
	w.grow(300, 2, 400)
	w.mustUpdate(dir)
	check := func() error {
		v, err := formats.NewVerifier(keys[0].VerifierKey())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		hashes := func(b []byte) (all [][]byte, err error) {
			leaves, err := tile.ParseBundle(b)
			for _, l := range leaves {
				h := tile.LeafHash(l)
				all = append(all, h[:])
			}
			return all, err
		}
		done := make(chan error, 1) // on a corrupt log it may hang instead of failing
		go func() {
			done <- fsck.New(origin, v, tessera.FileFetcher{Root: dir}, hashes, fsck.Opts{N: 1}).Check(ctx)
		}()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, filepath.FromSlash(tile.BundlePath(0, 256)))
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, flip(b), 0o644); err != nil {
		t.Fatal(err)
	}
	if check() == nil {
		t.Error("a changed bundle was not found")
	}
}

// A cache that drops one of the log's two signatures does not get that kept for ever.
func TestACheckpointWithHalfOfItsSignaturesIsRefused(t *testing.T) {
	w := newWorld(t)
	w.grow(30, 2)
	for _, name := range []string{checkpoint.SignedName(1), checkpoint.FinalName(2)} {
		raw, err := w.store.Get(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.SplitAfter(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n"))
		w.alter[name] = bytes.Join(lines[:len(lines)-1], nil)
		var no *Refused
		if _, err := Update(t.Context(), w.options(t.TempDir())); !errors.As(err, &no) || no.Object != name {
			t.Errorf("%s: %v", name, err)
		}
		delete(w.alter, name)
	}
}
