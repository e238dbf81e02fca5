package client

import (
	"fmt"
	"slices"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
)

// WatchedVersion is the comment line of what a watch remembers.
const WatchedVersion = "trialnotary/watched@v1"

// Watched is what a watch remembers of the streams that it saw last: enough to catch
// an operator who later shows another past.
//
//	trialnotary/watched@v1
//	-- streams --
//	batch 881
//	stream <stream id> <count> <head>     each; what is counted was told
//	-- checkpoint --                      that covers the batch, signed
type Watched struct {
	Batch      uint64
	Streams    []WatchedStream // by ascending id
	Checkpoint checkpoint.Signed
}

// WatchedStream is a stream's entries so far, as the stream map counts and folds them.
type WatchedStream struct {
	ID statement.StreamID
	streammap.Value
}

// ParseWatched parses what [Watched.Bytes] returns.
func ParseWatched(b []byte) (*Watched, error) {
	a, err := text.ParseArchive(b, WatchedVersion, MaxProfile)
	if err != nil {
		return nil, err
	}
	p := text.NewPartReader(a.Parts)
	lines, signed := p.Take("streams"), p.Take("checkpoint")
	if err := p.Done(); err != nil {
		return nil, err
	}
	r := text.NewReader(lines)
	w := &Watched{Batch: r.Uint("batch")}
	for r.Has("stream") {
		f := r.Fields("stream", 3, 3)
		if r.Err() != nil {
			break
		}
		s := WatchedStream{Value: streammap.Value{Count: r.ParseUint(f[1]), Head: r.ParseHash(f[2])}}
		if s.ID, err = statement.ParseStreamID(f[0]); err != nil {
			r.Fail("%v", err)
		}
		w.Streams = append(w.Streams, s)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	if w.Checkpoint, err = checkpoint.Parse(signed); err != nil {
		return nil, err
	}
	return w, nil
}

// Bytes returns the file.
func (w *Watched) Bytes() ([]byte, error) {
	lines := fmt.Appendf(nil, "batch %d\n", w.Batch)
	for _, s := range w.Streams {
		lines = fmt.Appendf(lines, "stream %s %d %s\n", s.ID, s.Count, text.Base64(s.Head[:]))
	}
	return text.Archive{Version: WatchedVersion, Parts: []text.Part{{Name: "streams", Data: lines}, {Name: "checkpoint", Data: w.Checkpoint.Raw}}}.Bytes()
}

// Of returns what is remembered of a stream, zero if it was never seen.
func (w *Watched) Of(id statement.StreamID) streammap.Value {
	if w != nil {
		for _, s := range w.Streams {
			if s.ID == id {
				return s.Value
			}
		}
	}
	return streammap.Value{}
}

// Keep adds the streams of before that are not in w, so that one which was not shown
// for a while is still known when it is shown again; and returns how many they are.
func (w *Watched) Keep(before *Watched) (n int) {
	if before == nil {
		return 0
	}
	for _, s := range before.Streams {
		if !slices.ContainsFunc(w.Streams, func(x WatchedStream) bool { return x.ID == s.ID }) {
			w.Streams = append(w.Streams, s)
			n++
		}
	}
	slices.SortFunc(w.Streams, func(a, b WatchedStream) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return n
}
