package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"trialnotary/notary/access"
	"trialnotary/notary/entry"
	requests "trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
)

// ErrNoBatch: the service has no such batch under a final checkpoint, or not yet.
var ErrNoBatch = errors.New("the service has no such batch under a final checkpoint, or not yet")

// maxRead bounds the answer to one read, a page of 4 MiB.
const maxRead = 4<<20 + 64<<10

// StreamAt is how a stream stood after a batch, as a service shows it: nothing in it
// has been verified.
type StreamAt struct {
	Batch    []byte // the batch leaf
	Proof    []byte // tlog-proof of it in a final checkpoint
	MapProof []byte // of the stream under the batch's map root
}

// Entries returns the published entries of a stream from seq from ≥ 1 on, leaf by
// leaf as they stand in the log, in order. They are unverified but for their form and
// that each is the next of this stream. log is the service's origin, k a key that may
// read the stream; if it may not, or there is none, the error is [*Refused] with
// status 403.
func (s *Service) Entries(ctx context.Context, log string, k statement.PrivateKey, stream statement.StreamID, from uint64) ([][]byte, error) {
	var leaves [][]byte
	err := s.pages(ctx, log, k, stream, "entries", from, func(page []byte) error {
		for _, leaf := range splitLeaves(page) {
			e, err := entry.Parse(leaf)
			if err != nil {
				return err
			}
			if want := from + uint64(len(leaves)); e.Stream != stream || e.Seq != want {
				return fmt.Errorf("in place of seq %d there is another entry", want)
			}
			leaves = append(leaves, leaf)
		}
		return nil
	})
	return leaves, err
}

// splitLeaves cuts concatenated entries before each version line.
func splitLeaves(page []byte) [][]byte {
	var leaves [][]byte
	for len(page) > 0 {
		n := len(page)
		if i := bytes.Index(page, []byte("\n"+entry.Version+"\n")); i >= 0 {
			n = i + 1
		}
		leaves = append(leaves, page[:n:n])
		page = page[n:]
	}
	return leaves
}

// Statements returns the statements of a stream that the service still holds, by
// their seq, from seq from ≥ 1 on; unverified but for their form and stream. Errors as
// for Entries.
func (s *Service) Statements(ctx context.Context, log string, k statement.PrivateKey, stream statement.StreamID, from uint64) (map[uint64]*statement.Note, error) {
	notes := map[uint64]*statement.Note{}
	last := from - 1
	err := s.pages(ctx, log, k, stream, "statements", from, func(page []byte) error {
		a, err := text.ParseArchive(page, "trialnotary/statements@v1", 0)
		if err != nil {
			return err
		}
		for _, p := range a.Parts {
			number, ok := strings.CutPrefix(p.Name, "statement-")
			seq, err := text.ParseUint(number)
			if !ok || err != nil || seq <= last {
				return fmt.Errorf("a part %q stands where a later statement was expected", p.Name)
			}
			n, err := statement.Parse(p.Data)
			if err != nil {
				return fmt.Errorf("statement %d: %w", seq, err)
			}
			// A registration is entered in the streams of all the ids of its trial.
			if n.Stream() != stream && n.Kind != statement.KindRegistration {
				return fmt.Errorf("statement %d is of another stream", seq)
			}
			notes[seq], last = n, seq
		}
		return nil
	})
	return notes, err
}

// StreamAt returns how a stream stood after a batch; batch 0 is the newest under a
// final checkpoint. [ErrNoBatch] if there is no such batch yet; other errors as for
// Entries.
func (s *Service) StreamAt(ctx context.Context, log string, k statement.PrivateKey, stream statement.StreamID, batch uint64) (*StreamAt, error) {
	path := "/streams/" + stream.String() + "/history"
	if batch > 0 {
		path += "?at=" + strconv.FormatUint(batch, 10)
	}
	a, err := s.read(ctx, log, k, path)
	if err != nil {
		return nil, err
	}
	if a.status == http.StatusNotFound && a.problem() {
		return nil, ErrNoBatch
	} else if a.status != http.StatusOK {
		return nil, s.refused(a)
	}
	c, err := text.ParseArchive(a.body, "trialnotary/stream@v1", 0)
	if err == nil && (len(c.Parts) != 3 || c.Parts[0].Name != "batch" || c.Parts[1].Name != "batch.tlog-proof" || c.Parts[2].Name != "map-proof") {
		err = errors.New("its parts are not batch, batch.tlog-proof and map-proof")
	}
	if err == nil {
		var p streammap.Proof
		if p, err = streammap.ParseProof(c.Parts[2].Data); err == nil && p.Stream != stream {
			err = errors.New("it is of another stream")
		}
	}
	if err != nil {
		return nil, &Unreachable{URL: s.base, Err: fmt.Errorf("its answer is no stream's state: %w", err)}
	}
	return &StreamAt{c.Parts[0].Data, c.Parts[1].Data, c.Parts[2].Data}, nil
}

// pages reads page after page of a stream and gives each to f.
func (s *Service) pages(ctx context.Context, log string, k statement.PrivateKey, stream statement.StreamID, what string, from uint64, f func([]byte) error) error {
	base := "/streams/" + stream.String() + "/" + what + "?from="
	for {
		a, err := s.read(ctx, log, k, base+strconv.FormatUint(from, 10))
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return s.refused(a)
		}
		if err := f(a.body); err != nil {
			return &Unreachable{URL: s.base, Err: fmt.Errorf("its answer is not the stream's %s: %w", what, err)}
		}
		link := a.header.Get("Link")
		if link == "" {
			return nil
		}
		number, ok := strings.CutPrefix(link, "<"+base)
		number, end := strings.CutSuffix(number, `>; rel="next"`)
		next, err := text.ParseUint(number)
		if !ok || !end || err != nil || next <= from {
			return &Unreachable{URL: s.base, Err: errors.New("its answer names no next page of the stream")}
		}
		from = next
	}
}

// read asks for an address with a signed request. A service whose clock differs
// refuses it with 401 and says what time it is.
func (s *Service) read(ctx context.Context, log string, k statement.PrivateKey, path string) (answer, error) {
	ask := func() ([]byte, error) {
		return requests.Read{Log: log, Method: http.MethodGet, Path: path, Time: s.Now().UTC().Truncate(time.Second)}.Sign(k)
	}
	if _, err := ask(); err != nil {
		return answer{}, err
	}
	return s.do(ctx, request{method: http.MethodGet, path: path, limit: maxRead, ask: ask})
}

// Access is who read what of a trial, as a service shows it to a key.
type Access struct {
	Service      statement.PublicKey // that signs the statements; zero before the first
	Open, Closed []access.Anchored   // in order; Closed only for keys that may read closed streams
}

// Access returns the trail of reads of a trial, by the id of its own stream. Nothing in
// it has been verified: see [access.Verify]. Errors as for Entries.
func (s *Service) Access(ctx context.Context, log string, k statement.PrivateKey, trial statement.StreamID) (*Access, error) {
	a := &Access{}
	seen := map[string]bool{}
	err := s.pages(ctx, log, k, trial, "access", 1, func(page []byte) error {
		archive, err := text.ParseArchive(page, "trialnotary/trail@v1", 0)
		if err != nil {
			return err
		}
		for _, p := range archive.Parts {
			what, name, _ := strings.Cut(p.Name, "-")
			list := &a.Open
			if strings.HasSuffix(name, "-closed") {
				list = &a.Closed
			}
			switch {
			case what == "registration":
				if a.Service, err = access.ServiceKey(p.Data); err != nil {
					return err
				}
			case seen[p.Name]: // pages may overlap
			case what == "statement":
				*list = append(*list, access.Anchored{Statement: p.Data})
			case what == "records" && seen["statement-"+name] && len(*list) > 0:
				(*list)[len(*list)-1].Records = p.Data
			default:
				return fmt.Errorf("a part %q stands where a statement was expected", p.Name)
			}
			seen[p.Name] = true
		}
		return nil
	})
	return a, err
}
