package notary

import (
	"fmt"
	"strings"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
)

// head is the one mutable cell that decides what the log is. The zero head is
// the empty log before its first batch.
//
//	trialnotary/state@v1
//	batch 3
//	first 7
//	size 10
//	root X/SpIIPzWbaJFdYttAEiYeh+Vi3mkNKFjyZ36XQXczY=
//	time 2026-11-21T14:35:56Z
//	map <stream map root>
//	staged staging/00000000000000000003-…
//	published 3
type head struct {
	Batch     uint64
	First     uint64 // index of the batch's first leaf: the size before it
	Size      uint64
	Root      [32]byte
	Time      time.Time
	Map       streammap.Root
	Staged    string
	Published uint64 // Batch, or Batch-1 while the batch is committed only
}

func (h head) bytes() []byte {
	return fmt.Appendf(nil, "trialnotary/state@v1\nbatch %d\nfirst %d\nsize %d\nroot %s\ntime %s\nmap %s\nstaged %s\npublished %d\n",
		h.Batch, h.First, h.Size, text.Base64(h.Root[:]), text.FormatTime(h.Time), mapLine(h.Map), h.Staged, h.Published)
}

// object returns the public head object of the batch.
func (h head) object() []byte {
	return checkpoint.Head{Batch: h.Batch, Size: h.Size, Root: h.Root}.Bytes()
}

// parseHead parses the head cell; nil gives the zero head.
func parseHead(b []byte) (head, error) {
	if b == nil {
		return head{}, nil
	}
	r := text.NewReader(b)
	r.Exact("trialnotary/state@v1")
	h := head{Batch: r.Uint("batch"), First: r.Uint("first"), Size: r.Uint("size"), Root: r.Hash("root"), Time: r.Time("time")}
	m := r.Value("map")
	h.Staged = r.Value("staged")
	h.Published = r.Uint("published")
	if err := r.Done(); err != nil {
		return head{}, fmt.Errorf("head cell: %w", err)
	}
	var err error
	if h.Map, err = streammap.ParseRoot([]byte(m)); err != nil {
		return head{}, fmt.Errorf("head cell: %w", err)
	}
	if h.Published > h.Batch || h.Published+1 < h.Batch || string(h.bytes()) != string(b) {
		return head{}, fmt.Errorf("head cell: %w", text.ErrFormat)
	}
	return h, nil
}

// complete returns the index below which every row is written: rows of a batch
// that is committed but not published may still be missing.
func (h head) complete() uint64 {
	if h.Published == h.Batch {
		return h.Size
	}
	return h.First
}

// stagedName names a staging object by what it holds.
func stagedName(h head) string {
	return fmt.Sprintf("staging/%020d-%020d-%x", h.Batch, h.Size, h.Root)
}

// stagedBatch returns the batch number in a staging object's name.
func stagedBatch(name string) (n uint64, ok bool) {
	s, ok := strings.CutPrefix(name, "staging/")
	if !ok || len(s) < 20 {
		return 0, false
	}
	_, err := fmt.Sscanf(s[:20], "%d", &n)
	return n, err == nil
}

// mapName names the pack of map nodes that a batch added, where they are many.
func mapName(batch uint64) string { return fmt.Sprintf("map/%020d", batch) }

// mapLine is a stream map root as the rest of a line.
func mapLine(m streammap.Root) string {
	b, err := m.MarshalText()
	if err != nil {
		panic(err) // a root of ours always has a text
	}
	return string(b)
}
