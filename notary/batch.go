package notary

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"trialnotary/notary/entry"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

// builder computes one batch on top of a head: which statements enter, with
// which index and seq. It writes nothing.
type builder struct {
	s     *Service
	ctx   context.Context
	head  head
	nodes streammap.Nodes // of the map before the batch, each read once

	number uint64
	time   time.Time
	staged staged

	before    map[statement.StreamID]streammap.Value // of the streams that were looked up together
	values    map[statement.StreamID]streammap.Value // of the streams this batch touches
	authority map[statement.StreamID]*statement.Authority
	own       map[statement.StreamID]bool // authorities changed by this batch: ours to change
	owners    map[statement.StreamID]owner
	kept      map[statement.StreamID]statement.ID // registration streams, by this batch's registrations
	leaf      []byte
}

func (s *Service) newBuilder(ctx context.Context, h head) *builder {
	now := s.Now().UTC().Truncate(time.Second)
	if now.Before(h.Time) {
		now = h.Time // the operator's clock at sealing, never decreasing
	}
	return &builder{s: s, ctx: ctx, head: h, nodes: streammap.Remember(s.mapNodes(ctx)), number: h.Batch + 1, time: now,
		values:    make(map[statement.StreamID]streammap.Value),
		authority: make(map[statement.StreamID]*statement.Authority),
		own:       make(map[statement.StreamID]bool),
		owners:    make(map[statement.StreamID]owner),
		kept:      make(map[statement.StreamID]statement.ID),
	}
}

// look reads the values of all streams that the statements are for, together: a
// batch of many streams that were long quiet makes few reads so.
func (b *builder) look(all []Accepted) error {
	ids := make([]statement.StreamID, 0, len(all))
	for _, a := range all {
		ids = append(ids, a.Stream)
	}
	values, err := streammap.LookupAll(b.nodes, b.head.Map, ids)
	if err != nil {
		return err
	}
	b.before = make(map[statement.StreamID]streammap.Value, len(ids))
	for i, id := range ids {
		b.before[id] = values[i]
	}
	return nil
}

// add enters a statement or refuses it with a reason. An error is the store's.
func (b *builder) add(a Accepted) error {
	item := stagedItem{Stream: a.Stream, Statement: a.Statement, Note: a.Note}
	reason, err := b.admit(&item)
	if err != nil {
		return err
	}
	if reason != "" {
		b.staged.Refused = append(b.staged.Refused, stagedRefusal{a.Stream, a.Statement, reason, item.Note})
		return nil
	}
	v, err := b.value(a.Stream)
	if err != nil {
		return err
	}
	item.Seq = v.Count + 1
	b.leaf = b.entry(len(b.staged.Items), item).Append(b.leaf[:0])
	b.values[a.Stream] = streammap.Value{Count: item.Seq, Head: streammap.Fold(v.Head, tile.LeafHash(b.leaf))}
	b.staged.Items = append(b.staged.Items, item)
	return nil
}

func (b *builder) index() uint64 { return b.head.Size + uint64(len(b.staged.Items)) }

func (b *builder) entry(i int, item stagedItem) entry.Entry {
	return entry.Entry{Index: b.head.Size + uint64(i), Batch: b.number, Time: b.time,
		Stream: item.Stream, Seq: item.Seq, Statement: item.Statement}
}

func (b *builder) value(stream statement.StreamID) (streammap.Value, error) {
	if v, ok := b.values[stream]; ok {
		return v, nil
	}
	if v, ok := b.before[stream]; ok {
		return v, nil
	}
	v, _, err := streammap.Lookup(b.nodes, b.head.Map, stream)
	return v, err
}

// lookAhead reads what the map says of the streams that statements are for: level by
// level for all of them, where value would go down for one after the other.
func (b *builder) lookAhead(pending []Accepted) error {
	streams := make([]statement.StreamID, len(pending))
	for i, a := range pending {
		streams[i] = a.Stream
	}
	_, err := streammap.LookupAll(b.nodes, b.head.Map, streams)
	return err
}

// admit checks the keys again, now that the index is known, and records what the
// statement changes. It returns the reason of a refusal, "" if there is none.
func (b *builder) admit(item *stagedItem) (string, error) {
	if request.IsBlind(item.Note) {
		return b.admitBlind(item)
	}
	n, err := b.s.notes.parse(item.Statement, item.Note)
	if err != nil || n.ID != item.Statement {
		return "the stored statement could not be read again", nil
	}
	if n.Kind == statement.KindRegistration {
		return b.admitRegistration(n, item)
	}
	if n.Stream() != item.Stream {
		return "the stored statement is for another stream", nil
	}
	o, err := b.owner(n.Stream())
	if errors.Is(err, ErrNotFound) {
		return "no key is enrolled for this stream", nil
	} else if err != nil {
		return "", err
	}
	a, err := b.trial(o.Trial)
	if errors.Is(err, ErrNotFound) {
		return "the trial is not registered", nil
	} else if err != nil {
		return "", err
	}
	if _, err := a.CheckAccepted(n, b.index(), b.time); err != nil {
		return oneLine(err), nil
	}
	if len(n.Keys) > 0 {
		return b.admitGrant(n, a, o, item)
	}
	return "", nil
}

func (b *builder) admitGrant(n *statement.Note, a *statement.Authority, o owner, item *stagedItem) (string, error) {
	stream := n.Keys[0].Stream
	bound, err := b.owner(stream)
	if err == nil && bound.Trial != o.Trial {
		return reasonForeign, nil
	} else if errors.Is(err, ErrNotFound) {
		var orphan bool
		if orphan, err = b.s.orphaned(b.ctx, stream, b.index()); orphan {
			return reasonOrphaned, nil
		}
	}
	if err != nil {
		return "", err
	}
	if !b.own[o.Trial] {
		a = a.Clone() // the cache's authority is of the sealed state only
		b.authority[o.Trial], b.own[o.Trial] = a, true
	}
	if err := a.Add(n, b.index(), b.time); err != nil {
		return oneLine(err), nil
	}
	b.owners[stream] = o
	item.Trial = o.Trial
	item.Owns = []stagedOwner{{stream, o}}
	return "", nil
}

// admitRegistration lets the first registration of a trial in, with all its
// streams, and refuses every other one.
func (b *builder) admitRegistration(n *statement.Note, item *stagedItem) (string, error) {
	streams := n.RegistrationStreams()
	a, err := statement.NewAuthority(n, b.index())
	if err != nil {
		return oneLine(err), nil
	}
	if !slices.Contains(streams, item.Stream) {
		return "the stored statement is for another stream", nil
	}
	own := owner{Trial: a.TrialStream(), Registration: n.ID}
	taken, err := b.s.registered(b.ctx, streams, n.ID, b.index())
	if err != nil {
		return "", err
	}
	for _, stream := range streams {
		id, ok := b.kept[stream]
		taken = taken || ok && id != n.ID
	}
	switch o, err := b.owner(own.Trial); {
	case errors.Is(err, ErrNotFound):
		orphan, err := b.s.orphaned(b.ctx, own.Trial, b.index())
		if err != nil {
			return "", err
		}
		taken = taken || orphan
	case err != nil:
		return "", err
	default:
		taken = taken || o != own
	}
	if taken {
		return reasonRegistered, nil
	}
	for _, stream := range streams {
		b.kept[stream] = n.ID
		item.Owns = append(item.Owns, stagedOwner{stream, own})
	}
	b.owners[own.Trial] = own
	item.Owns = append(item.Owns, stagedOwner{own.Trial, own})
	if item.Stream == n.Stream() {
		item.Trial = own.Trial
		b.authority[own.Trial], b.own[own.Trial] = a, true
	}
	return "", nil
}

// owner and trial read through what this batch has changed so far.
func (b *builder) owner(stream statement.StreamID) (owner, error) {
	if o, ok := b.owners[stream]; ok {
		return o, nil
	}
	return b.s.owner(b.ctx, stream)
}

func (b *builder) trial(id statement.StreamID) (*statement.Authority, error) {
	if a := b.authority[id]; a != nil {
		return a, nil
	}
	a, err := b.s.authority(b.ctx, id, b.head.Size)
	if err == nil {
		b.authority[id] = a
	}
	return a, err
}

// finish computes map, batch leaf, tree and the new head, and completes the
// staging object. edge is the right edge of the tree at the old head.
func (b *builder) finish(edge *tile.Edge) (head, error) {
	// Such a time could be committed, and the head never be read again.
	if b.time.Year() > 9999 {
		return head{}, fmt.Errorf("the clock says %s, and no entry can: set the clock", b.time.Format(time.RFC3339))
	}
	changes := make([]streammap.Change, 0, len(b.values))
	for id, v := range b.values {
		changes = append(changes, streammap.Change{Stream: id, Value: v})
	}
	m, pack, err := streammap.Update(b.nodes, b.head.Map, b.number, changes)
	if err != nil {
		return head{}, fmt.Errorf("stream map of batch %d: %w", b.number, err)
	}
	b.staged.Number, b.staged.First, b.staged.Time = b.number, b.head.Size, b.time
	b.staged.Map, b.staged.Pack = mapLine(m), pack
	b.staged.Edge = edge.Marshal()
	b.staged.leaves(func(leaf []byte) { edge.Append(leaf) }, m)
	h := head{Batch: b.number, First: b.head.Size, Size: edge.Size(), Root: edge.Root(), Time: b.time, Map: m, Published: b.head.Batch}
	h.Staged = stagedName(h)
	return h, nil
}

// oneLine makes an error a reason that fits into a row and a problem's detail.
func oneLine(err error) string {
	out := []rune(err.Error())
	for i, r := range out {
		if r == '\n' {
			out[i] = ' '
		}
	}
	return string(out)
}
