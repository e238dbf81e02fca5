package notary_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/tile"
)

// interopLog is a log on disk, larger than two tiles, in batches of odd sizes.
func interopLog(t *testing.T) (*world, string) {
	dir := t.TempDir()
	store, err := ondisk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := newWorld(t, store)
	tr, one, _ := w.registered()
	for _, size := range []int{1, 250, 3, 255, 90} {
		for left := size; left > 0; left -= 64 {
			var notes [][]byte
			for range min(left, 64) {
				n := w.data(tr, "site-001", one)
				notes = append(notes, n.Raw)
				w.accepts[notary.Ref{Stream: n.Stream(), Statement: n.ID}] = n.Raw
			}
			if _, err := w.svc.Submit(context.Background(), notes); err != nil {
				t.Fatal(err)
			}
		}
		w.mustDrain()
	}
	return w, filepath.Join(dir, "log")
}

// copyLog copies the public directory, which is read-only, to one that is not.
func copyLog(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(from, path)
		if err != nil || d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func logVerifier(t *testing.T) note.Verifier {
	t.Helper()
	v, err := formats.NewVerifier(logKeys()[0].VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checkWithTessera runs Tessera's fsck over a log directory. On a corrupt log it
// may hang instead of failing: then the deadline is its answer.
func checkWithTessera(t *testing.T, dir string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	bundle := func(b []byte) ([][]byte, error) {
		leaves, err := tile.ParseBundle(b)
		if err != nil {
			return nil, err
		}
		hashes := make([][]byte, len(leaves))
		for i, l := range leaves {
			h := sha256.Sum256(append([]byte{0}, l...))
			hashes[i] = h[:]
		}
		return hashes, nil
	}
	done := make(chan error, 1)
	go func() {
		done <- fsck.New(origin, logVerifier(t), client.FileFetcher{Root: dir}, bundle, fsck.Opts{N: 1}).Check(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestTesseraFsck(t *testing.T) {
	w, dir := interopLog(t)
	w.check(w.store)
	if err := checkWithTessera(t, dir); err != nil {
		t.Fatal(err)
	}
	size := w.mustHeadSize()
	for name, object := range map[string]string{
		"an entry":      tile.BundlePath(0, 256),
		"a late entry":  tile.BundlePath(size/256, int(size%256)),
		"a full tile":   tile.HashPath(0, 1, 256),
		"the top":       tile.HashPath(1, 0, int(size/256)),
		"the signature": "checkpoint",
	} {
		t.Run(name, func(t *testing.T) {
			bad := copyLog(t, dir)
			path := filepath.Join(bad, filepath.FromSlash(object))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if object == "checkpoint" {
				b = []byte(strings.Replace(string(b), fmt.Sprint(size), fmt.Sprint(size-1), 1))
			} else {
				b[len(b)/2] ^= 1
			}
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := checkWithTessera(t, bad); err == nil {
				t.Fatal("a corrupted log passed")
			}
		})
	}
}

func TestTorchwoodVerifiesProofs(t *testing.T) {
	w, _ := interopLog(t)
	policy, err := torchwood.ParsePolicy(w.policy.Bytes()) // both algorithms, as a trust file has it
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ref := range w.accepts {
		if n++; n > 40 {
			break
		}
		ev, err := w.svc.Receipt(context.Background(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(ev.Entry), ev.Proof); err != nil {
			t.Fatal(err)
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(ev.Entry[1:]), ev.Proof); err == nil {
			t.Fatal("another entry was accepted")
		}
		bad := []byte(strings.Replace(string(ev.Proof), "\nindex ", "\nindex 1", 1))
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(ev.Entry), bad); err == nil {
			t.Fatal("another index was accepted")
		}
	}
}

func TestModTlogChecksTree(t *testing.T) {
	w, dir := interopLog(t)
	log := w.check(w.store)
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, n := range indexes {
			out[i] = hashes[n]
		}
		return out, nil
	})
	size := w.mustHeadSize()
	for index := uint64(0); index < size; index++ {
		width := min(size-index/256*256, 256)
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(tile.BundlePath(index/256, int(width)))))
		if err != nil {
			t.Fatal(err)
		}
		leaves, err := tile.ParseBundle(b)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := tlog.StoredHashes(int64(index), leaves[index%256], reader)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, stored...)
		if index%97 == 0 {
			if _, err := entry.Parse(leaves[index%256]); err != nil && !entry.IsBatch(leaves[index%256]) {
				t.Fatal(err)
			}
		}
	}
	root, err := tlog.TreeHash(int64(size), reader)
	if err != nil || fmt.Sprintf("%x", root[:]) != log.Roots[size] {
		t.Fatalf("x/mod computes %x, ours is %s (%v)", root[:], log.Roots[size], err)
	}
	get := object(w.store)
	for old := range log.Roots {
		proof, err := tile.Consistency(old, size, get)
		if err != nil {
			t.Fatal(err)
		}
		oldRoot, err := tlog.TreeHash(int64(old), reader)
		if err != nil {
			t.Fatal(err)
		}
		tree := make(tlog.TreeProof, len(proof))
		for i, h := range proof {
			tree[i] = tlog.Hash(h)
		}
		if err := tlog.CheckTree(tree, int64(size), root, int64(old), oldRoot); err != nil {
			t.Fatalf("consistency of %d and %d: %v", old, size, err)
		}
		oldRoot[3] ^= 1
		if err := tlog.CheckTree(tree, int64(size), root, int64(old), oldRoot); err == nil {
			t.Fatal("a corrupted root is consistent")
		}
	}
	for index := uint64(0); index < size; index += 7 {
		proof, err := tile.Inclusion(index, size, get)
		if err != nil {
			t.Fatal(err)
		}
		record := make(tlog.RecordProof, len(proof))
		for i, h := range proof {
			record[i] = tlog.Hash(h)
		}
		leaf := hashes[tlog.StoredHashIndex(0, int64(index))]
		if err := tlog.CheckRecord(record, int64(size), root, int64(index), leaf); err != nil {
			t.Fatal(err)
		}
		leaf[0] ^= 1
		if err := tlog.CheckRecord(record, int64(size), root, int64(index), leaf); err == nil {
			t.Fatal("a corrupted leaf is included")
		}
	}
	if _, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(checkpoint.HeadName(1)))); err != nil {
		t.Fatal(err)
	}
}
