package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/audit"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
)

// progress is how far the log was verified. Everything else that is needed to go
// on is checked against it: the tree's edge by the root, the map's nodes by their
// hashes.
//
//	trialnotary/audit@v1
//	batch 3
//	size 10
//	root X/SpIIPzWbaJFdYttAEiYeh+Vi3mkNKFjyZ36XQXczY=
//	time 2026-11-21T14:35:56Z
//	map <stream map root>
type progress struct {
	Batch, Size uint64
	Root        [32]byte
	Time        time.Time // of the batch
	Map         streammap.Root
}

func (p progress) position() audit.Position {
	return audit.Position{Batch: p.Batch, Size: p.Size, Root: p.Root, Time: p.Time, Streams: p.Map.Streams, MapRoot: p.Map.Hash}
}

func (p progress) bytes() []byte {
	return fmt.Appendf(nil, "trialnotary/audit@v1\nbatch %d\nsize %d\nroot %s\ntime %s\nmap %s\n",
		p.Batch, p.Size, text.Base64(p.Root[:]), text.FormatTime(p.Time), p.Map)
}

func parseProgress(b []byte) (progress, error) {
	r := text.NewReader(b)
	r.Exact("trialnotary/audit@v1")
	p := progress{Batch: r.Uint("batch"), Size: r.Uint("size"), Root: r.Hash("root"), Time: r.Time("time")}
	m := r.Value("map")
	err := r.Done()
	if err == nil {
		p.Map, err = streammap.ParseRoot([]byte(m))
	}
	if err != nil {
		return progress{}, fmt.Errorf("the auditor's progress: %w", err)
	}
	return p, nil
}

// recall returns the progress of that name, the zero one if there is none.
func (a *auditor) recall(ctx context.Context, name string) (progress, error) {
	b, err := a.state.GetState(ctx, name, 0, -1)
	if errors.Is(err, notary.ErrNotFound) {
		return progress{}, nil
	} else if err != nil {
		return progress{}, err
	}
	return parseProgress(b)
}

func (a *auditor) remember(ctx context.Context, name string, p progress) error {
	return a.state.PutState(ctx, name, p.bytes())
}

// packs are the auditor's own nodes of the stream map, one object a batch below
// audit/map/: those that it computed, not those of the sealer. Nodes are checked
// by their hashes when they are read.
type packs struct {
	kept map[uint64][]byte
	size int
}

const maxKeptPacks = 128 << 20 // bytes

func packName(batch uint64) string { return fmt.Sprintf("audit/map/%020d", batch) }

func (p *packs) keep(batch uint64, pack []byte) {
	if p.kept == nil || p.size > maxKeptPacks {
		p.kept, p.size = map[uint64][]byte{}, 0
	}
	p.kept[batch] = pack
	p.size += len(pack)
}

// packStore keeps them. It implements [audit.PackStore].
type packStore struct{ a *auditor }

func (s *packStore) ReadPack(ctx context.Context, batch uint64, offset, length int64) ([]byte, error) {
	if p := s.a.packs.kept[batch]; p != nil && 0 <= offset && offset+length <= int64(len(p)) {
		return p[offset : offset+length], nil
	}
	b, err := s.a.state.GetState(ctx, packName(batch), offset, length)
	if err != nil {
		return nil, fmt.Errorf("delete %s to begin anew: %w", newestProgress, err)
	}
	return b, nil
}

func (s *packStore) WritePack(ctx context.Context, batch uint64, pack []byte) error {
	err := s.a.state.PutState(ctx, packName(batch), pack)
	if err == nil {
		s.a.packs.keep(batch, pack)
	}
	return err
}
