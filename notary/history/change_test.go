package history

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// Every change of one bit of a sample history is refused (a part of them is
// tried, in short mode a small one), but for two sorts. One makes a witness's or
// the auditor's line that of a key the visitor does not know: such lines count for
// nothing, so the verdict stays, with one of them less. The other changes the id
// of a stream that has no entries: then it is another stream of which that is
// shown, and the verdict says which, and that the one meant is missing.
func TestEveryChangedBitIsRefused(t *testing.T) {
	o := sampleOptions(t)
	stride := 11
	if testing.Short() {
		stride = 97
	}
	for _, name := range []string{"whole", "early", "shut"} {
		b := sampleFile(t, name+".history")
		want, err := sampleHistory(t, name).Verify(o)
		if err != nil {
			t.Fatal(err)
		}
		identity, empty := identities(b), emptyStreams(b)
		survived := 0
		for i := range b {
			if i%stride > 0 && !(identity[i] && i%5 == 0) {
				continue
			}
			mask := byte(1) << (i % 8)
			changed := bytes.Clone(b)
			changed[i] ^= mask
			h, err := Parse(changed)
			if err != nil {
				continue
			}
			got, err := h.Verify(o)
			if err != nil {
				continue
			}
			if empty[i] {
				if got.Whole() || summary(got) == summary(want) || len(got.Missing) != 1 {
					t.Fatalf("%s: byte %d changed by %02x: another stream is taken for one of the trial", name, i, mask)
				}
				continue
			}
			survived++
			if !identity[i] {
				t.Fatalf("%s: byte %d changed by %02x: still verifies", name, i, mask)
			}
			if summary(got) != summary(want) || got.Met.Witnesses+len(got.Auditors) >= want.Met.Witnesses+len(want.Auditors) {
				t.Fatalf("%s: byte %d changed by %02x: another verdict:\n%s\n%s", name, i, mask, summary(got), summary(want))
			}
		}
		if survived == 0 {
			t.Errorf("%s: no change of a witness's name survived: unknown keys are not ignored", name)
		}
	}
}

// emptyStreams returns the bytes of the ids of streams without entries.
func emptyStreams(b []byte) map[int]bool {
	at, lines := map[int]bool{}, bytes.SplitAfter(b, []byte("\n"))
	for n, i := 0, 0; n+1 < len(lines); n++ {
		if bytes.Equal(lines[n+1], []byte("count 0\n")) {
			for j := len("stream "); j < len(lines[n]); j++ {
				at[i+j] = true
			}
		}
		i += len(lines[n])
	}
	return at
}

// identities returns the bytes of the names and key ids of signature lines that
// are neither the log's nor a participant's: six base64 digits for the key id, of
// which the last holds four bits of the time too.
func identities(b []byte) map[int]bool {
	at := map[int]bool{}
	for i := 0; i < len(b); {
		end := i + bytes.IndexByte(b[i:], '\n') + 1
		if line := string(b[i:end]); strings.HasPrefix(line, "— witness") || strings.HasPrefix(line, "— auditor") {
			id := strings.LastIndexByte(line, ' ') + 1
			for j := len("— "); j < id+6; j++ {
				at[i+j] = true
			}
		}
		i = end
	}
	return at
}

// Taking out, doubling or swapping any line is refused too, but for lines of
// witnesses; and a stream taken out is said to be missing, a statement closed.
func TestEveryChangedLineIsRefused(t *testing.T) {
	o := sampleOptions(t)
	for _, name := range []string{"whole", "shut"} {
		lines := bytes.SplitAfter(sampleFile(t, name+".history"), []byte("\n"))
		signature := func(i int) bool {
			return bytes.HasPrefix(lines[i], []byte("— ")) && bytes.Contains(lines[i], []byte("example"))
		}
		refuse := func(what string, i int, changed ...[]byte) {
			t.Helper()
			if h, err := Parse(slices.Concat(changed...)); err == nil {
				if _, err := h.Verify(o); err == nil {
					t.Errorf("%s: line %d %s: still verifies", name, i+1, what)
				}
			}
		}
		for i := range len(lines) - 1 {
			before, after := bytes.Join(lines[:i], nil), bytes.Join(lines[i+1:], nil)
			if !bytes.HasPrefix(lines[i], []byte("— witness")) {
				refuse("taken out", i, before, after)
			}
			refuse("doubled", i, before, lines[i], lines[i], after)
			if i > 0 && !bytes.Equal(lines[i-1], lines[i]) && !(signature(i-1) && signature(i)) {
				refuse("moved up", i, bytes.Join(lines[:i-1], nil), lines[i], lines[i-1], after)
			}
		}
	}
	// A whole stream, or statement, may be left out: the verdict says what is.
	h := sampleHistory(t, "whole")
	h.Streams = h.Streams[:4]
	if v, err := h.Verify(o); err != nil || v.Whole() || strings.Join(v.Missing, "") != "site-002" {
		t.Errorf("a stream left out: %v", err)
	}
	h = sampleHistory(t, "whole")
	h.Streams[3].Statements = h.Streams[3].Statements[1:]
	if v, err := h.Verify(o); err != nil || len(v.Streams[3].Shown(Closed)) != 1 {
		t.Errorf("a statement left out: %v", err)
	}
}
