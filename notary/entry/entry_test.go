package entry

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

var update = flag.Bool("update", false, "write testdata/vectors anew from the tables of this file")

const vectors = "testdata/vectors/"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var (
	one   = Entry{Index: 7, Batch: 3, Time: noon, Stream: statement.StreamID{1}, Seq: 1, Statement: statement.ID{2}}
	large = Entry{Index: 1<<64 - 1, Batch: 1<<64 - 1, Time: noon, Seq: 1<<64 - 1}
	batch = Batch{Index: 17, Number: 6, Time: noon, First: 13, Streams: 5, MapRoot: [32]byte{3}}
	empty = Batch{Index: 0, Number: 1, Time: noon}
)

var good = map[string][]byte{
	"entry.txt":       one.Append(nil),
	"entry-large.txt": large.Append(nil),
	"batch.txt":       batch.Append(nil),
	"batch-empty.txt": empty.Append(nil),
}

// bad leaves, each a good one with one thing exchanged.
var bad = []struct{ file, from, old, new, want, reason string }{
	{"entry-version.txt", "entry.txt", "entry@v1", "entry@v2", "line 1", "another version"},
	{"entry-crlf.txt", "entry.txt", "seq 1\n", "seq 1\r\n", "line 5", "a CRLF line end"},
	{"entry-no-index.txt", "entry.txt", "index 7\n", "", "line 2", "no index line"},
	{"entry-index-leading-zero.txt", "entry.txt", "index 7", "index 07", "line 2", "a leading zero"},
	{"entry-index-sign.txt", "entry.txt", "index 7", "index +7", "line 2", "a sign before a number"},
	{"entry-index-hex.txt", "entry.txt", "index 7", "index 0x7", "line 2", "a number in hex"},
	{"entry-index-overflow.txt", "entry-large.txt", "index 18446744073709551615", "index 18446744073709551616", "line 2", "a number of more than 64 bits"},
	{"entry-batch-zero.txt", "entry.txt", "batch 3 ", "batch 0 ", "line 3", "batch number 0"},
	{"entry-batch-without-time.txt", "entry.txt", " 2026-11-22T12:00:00Z", "", "line 3", "a batch line without its time"},
	{"entry-time-zone.txt", "entry.txt", "12:00:00Z", "12:00:00+00:00", "line 3", "UTC written as +00:00"},
	{"entry-time-fraction.txt", "entry.txt", "12:00:00Z", "12:00:00.0Z", "line 3", "a fraction of a second"},
	{"entry-stream-upper-case.txt", "entry.txt", "stream 01", "stream A1", "line 4", "a stream id in upper case hex"},
	{"entry-stream-short.txt", "entry.txt", "stream 01", "stream 0", "line 4", "a stream id of 63 hex digits"},
	{"entry-stream-long.txt", "entry.txt", "stream 01", "stream 0101", "line 4", "a stream id of 66 hex digits"},
	{"entry-statement-long.txt", "entry.txt", "statement 02", "statement 0202", "line 6", "a statement id of 66 hex digits"},
	{"entry-seq-zero.txt", "entry.txt", "seq 1", "seq 0", "line 5", "seq 0"},
	{"entry-seq-two-blanks.txt", "entry.txt", "seq 1", "seq  1", "line 5", "two blanks"},
	{"entry-order.txt", "entry.txt", "seq 1\n", "", "line 5", "no seq line"},
	{"entry-trailing-line.txt", "entry.txt", "statement 02", "note x\nstatement 02", "line 6", "an unknown line"},
	{"entry-after-the-end.txt", "entry.txt", "00\n", "00\n\n", "line 7", "an empty line at the end"},
	{"batch-version.txt", "batch.txt", "batch@v1", "batch@v2", "line 1", "another version"},
	{"batch-number-zero.txt", "batch.txt", "batch 6", "batch 0", "line 3", "batch number 0"},
	{"batch-first-after-itself.txt", "batch.txt", "first 13", "first 18", "line 4", "a first entry after the batch leaf"},
	{"batch-no-map.txt", "batch.txt", "streams 5", "streams", "line 5", "a streams line without a count"},
	{"batch-map-unpadded.txt", "batch.txt", "=\n", "\n", "line 5", "a map root without its base64 padding"},
	{"batch-map-bits.txt", "batch.txt", "A=\n", "B=\n", "line 5", "unused bits set in the base64 of the map root"},
	{"batch-cut.txt", "batch.txt", "=\n", "=", "line feed", "no line feed at the end"},
}

func parseAny(b []byte) ([]byte, error) {
	if IsBatch(b) || bytes.HasPrefix(b, []byte("trialnotary/batch")) {
		leaf, err := ParseBatch(b)
		return leaf.Append(nil), err
	}
	e, err := Parse(b)
	return e.Append(nil), err
}

func TestGoodVectors(t *testing.T) {
	for name, b := range good {
		file := vectors + "good/" + name
		if *update {
			write(t, file, b)
		}
		if onDisk, err := os.ReadFile(file); err != nil || !bytes.Equal(onDisk, b) {
			t.Errorf("%s is not what this file makes: %v", name, err)
		}
	}
	files, err := filepath.Glob(vectors + "good/*.txt")
	if err != nil || len(files) < len(good)+13 {
		t.Fatalf("%d good vectors, %v; want those of this file and the sample's", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parseAny(b); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%s: %v, formatted:\n%s", file, err, back)
		}
		if want := strings.Contains(filepath.Base(file), "batch-") || filepath.Base(file) == "batch.txt"; IsBatch(b) != want && !strings.Contains(file, "same-batch") {
			t.Errorf("%s: IsBatch %t", file, IsBatch(b))
		}
	}
}

func TestBadVectors(t *testing.T) {
	reasons := make(map[string]string)
	for _, c := range bad {
		t.Run(c.file, func(t *testing.T) {
			reasons[c.file] = c.reason
			s := string(good[c.from])
			i := strings.LastIndex(s, c.old)
			if i < 0 {
				t.Fatalf("no %q in %s", c.old, c.from)
			}
			b := []byte(s[:i] + c.new + s[i+len(c.old):])
			if *update {
				write(t, vectors+"bad/"+c.file, b)
			}
			if onDisk, err := os.ReadFile(vectors + "bad/" + c.file); err != nil || !bytes.Equal(onDisk, b) {
				t.Errorf("the file is not what this table makes: %v", err)
			}
			for what, parse := range map[string]func([]byte) error{
				"entry": func(b []byte) error { _, err := Parse(b); return err },
				"batch": func(b []byte) error { _, err := ParseBatch(b); return err },
			} {
				err := parse(b)
				if !errors.Is(err, text.ErrFormat) {
					t.Errorf("as %s: %v", what, err)
				} else if strings.HasPrefix(c.file, what) && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v; want %q", err, c.want)
				}
			}
		})
	}
	list, err := json.MarshalIndent(reasons, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, '\n')
	if *update {
		write(t, vectors+"bad.json", list)
	}
	if onDisk, err := os.ReadFile(vectors + "bad.json"); err != nil || !bytes.Equal(onDisk, list) {
		t.Errorf("bad.json is not what this table makes: %v", err)
	}
	if files, _ := filepath.Glob(vectors + "bad/*.txt"); len(files) != len(bad) || len(reasons) != len(bad) {
		t.Errorf("%d files, %d reasons, %d in the table", len(files), len(reasons), len(bad))
	}
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// An entry is no batch leaf and a batch leaf no entry, or a leaf could be both.
func TestLeavesAreOneOrTheOther(t *testing.T) {
	if _, err := Parse(batch.Append(nil)); err == nil {
		t.Error("a batch leaf parsed as an entry")
	}
	if _, err := ParseBatch(one.Append(nil)); err == nil {
		t.Error("an entry parsed as a batch leaf")
	}
	for _, b := range []string{"", "trialnotary/batch@v1", "trialnotary/batch@v10\n", "x"} {
		if IsBatch([]byte(b)) {
			t.Errorf("%q is a batch leaf", b)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf = batch.Append(one.Append(buf[:0])) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if got := string(one.Append([]byte("before "))); !strings.HasPrefix(got, "before trialnotary/entry@v1\n") {
		t.Errorf("what dst held is lost: %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range good {
		f.Add(b)
	}
	for _, c := range bad {
		f.Add([]byte(strings.Replace(string(good[c.from]), c.old, c.new, 1)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if back, err := parseAny(b); err == nil && !bytes.Equal(back, b) {
			t.Fatalf("%q read as %q", b, back)
		} else if err != nil && !errors.Is(err, text.ErrFormat) {
			t.Fatalf("%v: not a format error", err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = one.Append(buf[:0])
	}
}

func BenchmarkParse(b *testing.B) {
	leaf := one.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(leaf); err != nil {
			b.Fatal(err)
		}
	}
}
