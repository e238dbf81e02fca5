package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/content"
	"trialnotary/notary/manifest"
	"trialnotary/notary/text"
)

func TestHashGivesBothDigestsOfEveryFile(t *testing.T) {
	files := map[string]string{"empty": "", "one": "1"}
	for i, size := range []int{maxBuffer - 1, maxBuffer, maxBuffer + 1, largeFile, largeFile + splitBuffer + 7} {
		files[fmt.Sprintf("sub/%d", i)] = strings.Repeat("0123456789abcdef"[i:], size/(16-i)+1)[:size]
	}
	m, err := scan(t, plant(t, files)).Hash(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Files) != len(files) {
		t.Fatalf("%d files, want %d", len(m.Files), len(files))
	}
	for _, f := range m.Files {
		data := []byte(files[f.Path])
		if f.Size != uint64(len(data)) || f.SHA256 != sha256.Sum256(data) || f.SHA512 != sha512.Sum512(data) {
			t.Errorf("%s: other digests", f.Path)
		}
	}
	if _, err := m.Bytes(); err != nil {
		t.Error(err)
	}
}

// The sample's data, under the sample's secret and with its content line, give
// the dataset root that its statement names.
func TestHashOfTheSampleData(t *testing.T) {
	m, err := scan(t, plant(t, trial)).Hash(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Secret, err = text.ParseHash("WNCsVM+0tDPtQIO85elCEK2iwpLJgAZA746SO2RTShk="); err != nil {
		t.Fatal(err)
	}
	for i := range m.Files { // it was sealed when no profile was known
		m.Files[i].Content = nil
	}
	m.Files[0].Content = &manifest.Content{Profile: "csv-rows", SHA256: m.Files[0].SHA256}
	root := m.Root()
	if got := text.Base64(root[:]); got != "AU5XUydotHFrrCjLZaREgRGRjKBbsu57/8ezKm1kOlc=" || m.Total() != 35 {
		t.Errorf("root %s, %d bytes", got, m.Total())
	}
}

// Files that a profile reads have a content digest, small ones and those whose digests
// are computed side by side; others have none, and none has it in a comparison.
func TestHashTakesContentDigests(t *testing.T) {
	rows := "subject,dose\n" + strings.Repeat("001,1.0\n", largeFile/8+1)
	m, err := scan(t, plant(t, map[string]string{
		"large.csv": rows, "windows.csv": strings.ReplaceAll(rows, "\n", "\r\n"), "small.csv": "a,b\r\n1,", "broken.csv": "a,\"b\n", "a.txt": "a,b\n",
	})).Hash(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]*manifest.Content{}
	for _, f := range m.Files {
		of[f.Path] = f.Content
	}
	if of["broken.csv"] != nil || of["a.txt"] != nil || of["large.csv"] == nil || of["windows.csv"] == nil || of["small.csv"] == nil {
		t.Fatalf("%v", of)
	}
	if *of["large.csv"] != *of["windows.csv"] || of["large.csv"].Profile != content.CSV {
		t.Error("other line ends give another content digest")
	}
	if of["small.csv"].SHA256 != sha256.Sum256([]byte("\"a\",\"b\"\n\"1\",\"\"\n")) {
		t.Error("a content digest is not that of the profile")
	}
}

// reader is a file with an accident: do is called before each read.
type reader struct {
	file
	do func(reads int) error
	n  int
}

func (r *reader) Read(b []byte) (int, error) {
	if err := r.do(r.n); err != nil {
		return 0, err
	}
	r.n++
	return r.file.Read(b)
}

func accident(tree *Tree, name string, do func(reads int) error) {
	tree.open = func(disk string) (file, error) {
		f, err := openFile(disk)
		if filepath.Base(disk) != name || err != nil {
			return f, err
		}
		return &reader{file: f, do: do}, nil
	}
}

// Each accident happens while a file of each size is being read: a small one and
// one whose two digests are computed side by side.
func TestNothingIsSealedWhenFilesChangeWhileBeingHashed(t *testing.T) {
	small, large := strings.Repeat("x", 1000), strings.Repeat("y", largeFile+3*splitBuffer)
	for _, name := range []string{"small", "large"} {
		for what, c := range map[string]struct {
			want string
			do   func(path string) error
		}{
			"it grows": {"is not what it was when hashing began (it grew beyond its", func(p string) error {
				f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					return err
				}
				_, err = f.WriteString("more")
				return errors.Join(err, f.Close())
			}},
			"it shrinks":              {"is not what it was", func(p string) error { return os.Truncate(p, 10) }},
			"it is touched":           {"is not what it was", func(p string) error { return os.Chtimes(p, time.Now(), time.Now().Add(time.Hour)) }},
			"another takes its name":  {"is not what it was", replace},
			"it is removed":           {"is not what it was", os.Remove},
			"another file appears":    {"appeared while", func(p string) error { return os.WriteFile(p+".new", nil, 0o666) }},
			"another file is removed": {"", func(p string) error { return os.Remove(filepath.Join(filepath.Dir(p), "other")) }},
			"another file is rewritten": {"", func(p string) error {
				return os.Chtimes(filepath.Join(filepath.Dir(p), "other"), time.Now(), time.Now().Add(time.Hour))
			}},
			"the disk fails": {"cannot be read (input/output error)", func(string) error { return errors.New("input/output error") }},
		} {
			if runtime.GOOS == "windows" && strings.Contains(what, "remove") {
				continue // an open file stays
			}
			dir := plant(t, map[string]string{"small": small, "large": large, "other": "z"})
			tree := scan(t, dir)
			done := false
			accident(tree, name, func(int) error {
				if done {
					return nil
				}
				done = true
				return c.do(filepath.Join(dir, name))
			})
			m, err := tree.Hash(t.Context(), nil)
			refused(t, name+": "+what, err, c.want)
			if err == nil || m != nil || !strings.Contains(err.Error(), "Nothing was sealed") {
				t.Errorf("%s: %s: %v", name, what, err)
			}
			if what != "the disk fails" && !errors.Is(err, ErrChanged) {
				t.Errorf("%s: %s: not ErrChanged: %v", name, what, err)
			}
		}
	}
}

// replace puts a file of the same size and time, but other bytes, in the place of p.
func replace(p string) error {
	info, err := os.Stat(p)
	if err != nil {
		return err
	}
	aside := p + ".aside"
	return errors.Join(os.WriteFile(aside, bytes.Repeat([]byte("n"), int(info.Size())), 0o666),
		os.Chtimes(aside, info.ModTime(), info.ModTime()), os.Rename(aside, p))
}

func TestAFileThatGrowsForEverIsReadNoFurther(t *testing.T) {
	for _, size := range []int{100, largeFile} {
		tree := scan(t, plant(t, map[string]string{"log": strings.Repeat("x", size)}))
		tree.open = func(disk string) (file, error) {
			f, err := openFile(disk)
			return endless{f}, err
		}
		_, err := tree.Hash(t.Context(), nil)
		refused(t, "an endless file", err, fmt.Sprintf("log is not what it was when hashing began (it grew beyond its %d bytes", size))
	}
}

type endless struct{ file }

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestAFileThatEndsEarlyIsRefused(t *testing.T) {
	tree := scan(t, plant(t, map[string]string{"a": "0123456789"}))
	accident(tree, "a", func(int) error { return io.EOF })
	_, err := tree.Hash(t.Context(), nil)
	refused(t, "a short file", err, "10 bytes, of which 0 could be read")
}

func TestAFileChangedBetweenScanAndHashIsRefused(t *testing.T) {
	dir := plant(t, trial)
	tree := scan(t, dir)
	write(t, filepath.Join(dir, "a.csv"), "id,age\n1,31\n2,40\n")
	_, err := tree.Hash(t.Context(), nil)
	refused(t, "a changed file", err, "a.csv is not what it was")
}

func TestAnUnreadableFileIsRefused(t *testing.T) {
	tree := scan(t, plant(t, trial))
	tree.open = func(disk string) (file, error) {
		return nil, &os.PathError{Op: "open", Path: disk, Err: os.ErrPermission}
	}
	_, err := tree.Hash(t.Context(), nil)
	refused(t, "an unreadable file", err, "cannot be read (permission denied)")
	if !errors.Is(err, os.ErrPermission) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestHashingCanBeStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tree := scan(t, plant(t, map[string]string{"a": strings.Repeat("x", 4*largeFile), "b": "y"}))
	accident(tree, "a", func(n int) error {
		if n == 2 {
			cancel()
		}
		return nil
	})
	m, err := tree.Hash(ctx, nil)
	refused(t, "stopped", err, "stopped before its end")
	if m != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestProgressEndsWhereItShould(t *testing.T) {
	tree := scan(t, plant(t, trial))
	var seen []Progress
	if _, err := tree.Hash(t.Context(), func(p Progress) { seen = append(seen, p) }); err != nil {
		t.Fatal(err)
	}
	if first, last := seen[0], seen[len(seen)-1]; first != (Progress{0, 3, 0, 35}) || last != (Progress{3, 3, 35, 35}) {
		t.Errorf("first %+v, last %+v", first, last)
	}
	for i := 1; i < len(seen); i++ {
		if seen[i].Files < seen[i-1].Files || seen[i].Bytes < seen[i-1].Bytes {
			t.Errorf("goes back: %+v after %+v", seen[i], seen[i-1])
		}
	}
}

// many writes n small files into directories of a thousand.
func many(t testing.TB, n int) string {
	dir := t.TempDir()
	for i := range n {
		sub := filepath.Join(dir, fmt.Sprintf("site-%03d", i/1000))
		if i%1000 == 0 {
			if err := os.Mkdir(sub, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("visit-%06d.csv", i)), fmt.Appendf(nil, "subject,visit\n%d,1\n", i), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestManyFiles(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 2_000
	}
	dir := many(t, n)
	m, err := scan(t, dir).Hash(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	back, err := manifest.Parse(b)
	if err != nil || len(back.Files) != n {
		t.Fatalf("%d files of %d: %v", len(back.Files), n, err)
	}
	c, err := Compare(t.Context(), back, []string{dir}, nil)
	if err != nil || !c.Exact() || len(c.Matched) != n {
		t.Errorf("%d of %d match: %v", len(c.Matched), n, err)
	}
}

// Memory does not grow with the size of a file.
func TestMemoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 { // sparse: the size costs no disk
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(i)))
		if err == nil {
			err = errors.Join(f.Truncate(128<<20), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tree := scan(t, dir)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := tree.Hash(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
		t.Errorf("%d MiB were allocated in all", got>>20)
	}
}
