package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/text"
)

// StateVersion is the first line of a state.
const StateVersion = "trialnotary/audit-state@v1"

// ErrState: a state, or the file beside it, is not as it was written. Nothing is to
// be said of the log.
var ErrState = errors.New("what this auditor kept was changed or is incomplete")

// State is how far an auditor came, and what is needed to go on:
//
//	trialnotary/audit-state@v1
//	log log.example/trials
//	batch 3
//	size 10
//	root X/SpIIPzWbaJFdYttAEiYeh+Vi3mkNKFjyZ36XQXczY=
//	time 2026-11-21T14:35:56Z
//	streams 2 j3e…=                              the map after the batch
//	checkpoint 5821 5934                         bytes of the two checkpoints below
//	seen 10 3735928559 <64 bytes, base64>        leaves, checksum and key of the file of those seen
//
//	<the newest of signed/><the newest final checkpoint><72 bytes for each stream><SHA-256 of all before>
//
// The streams stand by ascending id: id, count, head. They are checked against the
// map root; it, and all else, is as true as the auditor's own disk.
type State struct {
	Origin string
	Position
	Signed, Final []byte // the newest that this auditor saw of each; Signed may be ahead
	streams       []byte
	seen          seenState
}

type seenState struct {
	leaves uint64
	sum    uint32
	key    [8 * keyWords]byte
}

// Bytes returns the state.
func (s *State) Bytes() []byte {
	b := fmt.Appendf(nil, "%s\nlog %s\nbatch %d\nsize %d\nroot %s\ntime %s\nstreams %d %s\ncheckpoint %d %d\nseen %d %d %s\n\n", StateVersion, s.Origin,
		s.Batch, s.Size, text.Base64(s.Root[:]), text.FormatTime(s.Time), s.Streams, text.Base64(s.MapRoot[:]), len(s.Signed), len(s.Final),
		s.seen.leaves, s.seen.sum, text.Base64(s.seen.key[:]))
	b = slices.Concat(b, s.Signed, s.Final, s.streams)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// ParseState parses a state. Errors wrap [ErrState].
func ParseState(b []byte) (*State, error) {
	s, err := parseState(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	return s, nil
}

func parseState(b []byte) (*State, error) {
	head, rest, _ := bytes.Cut(b, []byte("\n\n"))
	if len(rest) < sha256.Size || sha256.Sum256(b[:len(b)-sha256.Size]) != [32]byte(rest[len(rest)-sha256.Size:]) {
		return nil, errors.New("its checksum is another")
	}
	rest = rest[:len(rest)-sha256.Size]
	r := text.NewReader(append(slices.Clone(head), '\n'))
	r.Exact(StateVersion)
	s := &State{Origin: r.Value("log"), Position: Position{Batch: r.Uint("batch"), Size: r.Uint("size"), Root: r.Hash("root"), Time: r.Time("time")}}
	if f := r.Fields("streams", 2, 2); r.Err() == nil {
		s.Streams, s.MapRoot = r.ParseUint(f[0]), r.ParseHash(f[1])
	}
	var signed, final uint64
	if f := r.Fields("checkpoint", 2, 2); r.Err() == nil {
		signed, final = r.ParseUint(f[0]), r.ParseUint(f[1])
	}
	if f := r.Fields("seen", 3, 3); r.Err() == nil {
		s.seen.leaves = r.ParseUint(f[0])
		sum, err := strconv.ParseUint(f[1], 10, 32)
		key, kerr := text.ParseBase64(f[2])
		if err != nil || kerr != nil || len(key) != len(s.seen.key) {
			r.Fail("is none of a checksum and a key")
		} else {
			s.seen.sum, s.seen.key = uint32(sum), [8 * keyWords]byte(key)
		}
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	if signed > checkpoint.MaxSize || final > checkpoint.MaxSize || uint64(len(rest)) < signed+final || uint64(len(rest))-signed-final != s.Streams*recordSize {
		return nil, errors.New("its parts have other lengths than it says")
	}
	s.Signed, s.Final, s.streams = rest[:signed], rest[signed:signed+final], rest[signed+final:]
	if !bytes.Equal(s.Bytes(), b) {
		return nil, text.ErrFormat
	}
	return s, nil
}

// open returns the map of the state.
func (s *State) open() (*Memory, error) {
	m := &Memory{}
	if !m.load(s.streams) {
		return nil, fmt.Errorf("%w: its streams are none", ErrState)
	}
	if root, n := m.root(); root != s.MapRoot || n != s.Streams {
		return nil, fmt.Errorf("%w: its streams are not those of its batch", ErrState)
	}
	return m, nil
}

// OpenSeen returns what was seen up to the state; the file is cut off after it. f is
// where an earlier audit with this state kept it.
func (s *State) OpenSeen(f *os.File) (*Seen, error) {
	if s.Size == 0 {
		return NewSeen(f), nil
	}
	if info, err := f.Stat(); err != nil || info.Size() < int64(8*s.seen.leaves) || s.seen.leaves != s.Size {
		return nil, fmt.Errorf("%w: %s is shorter than it was", ErrState, f.Name())
	}
	seen := &Seen{file: f, n: s.seen.leaves, sum: s.seen.sum}
	seen.setKey(s.seen.key[:])
	return seen, nil
}

// at returns the state of an auditor at a position.
func stateAt(origin string, at Position, m *Memory, seen *Seen, signed, final []byte) *State {
	s := &State{Origin: origin, Position: at, Signed: signed, Final: final, streams: m.Append(make([]byte, 0, at.Streams*recordSize))}
	if seen != nil {
		s.seen.leaves, s.seen.sum = seen.n, seen.sum
		for i, w := range seen.key {
			binary.LittleEndian.PutUint64(s.seen.key[8*i:], w)
		}
	}
	if s.Time.IsZero() {
		s.Time = time.Unix(0, 0).UTC()
	}
	return s
}
