// Package client is what people do against a service: submit a statement, wait
// until it is sealed, put the receipt together and verify it before it is
// written; and the files that this needs on their machine.
//
// A sealed dataset, from its files to its receipt:
//
//	[Scan], [Tree.Hash]    the manifest; nothing has left the machine
//	statement.Sign         what is said about it, signed
//	[Pending]              all that is needed to finish, written down first
//	[Service.Submit]       the same bytes as often as it takes
//	[Service.Await]        entry and proof, once sealed
//	[Pending.Complete]     the receipt, verified with the profile's trust
//
// The files, all txtar with a first part `profile` of `key value` lines (formats,
// section Other files); every parser is strict and canonical:
//
//	NAME.key      [Key]      a private key, under a passphrase or plain
//	TRIAL.trial   [Trial]    the sponsor's: salts, registration, grants
//	STREAM.invite [Invite]   the site's: stream, salt, the grants it rests on
//	PREFIX.pending [Pending] a statement and what finishes its receipt anywhere
//
// A private file is created with mode 0600, whole or not at all, and never over
// another one; only a .trial changes, with the version before kept beside it.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"trialnotary/notary/receipt"
	requests "trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// Ref names one statement in one stream, as a service knows it.
type Ref struct {
	Stream    statement.StreamID
	Statement statement.ID
}

// RefOf returns where a statement stands; a registration in the stream of its
// own id.
func RefOf(n *statement.Note) Ref { return Ref{n.Stream(), n.ID} }

// Service speaks to one service over HTTP. Every call may be repeated: the same
// statement twice is one entry. Safe for concurrent use.
type Service struct {
	base string
	Options
}

// Options of a [Service]; the zero value is right for people.
type Options struct {
	// HTTP makes the requests; nil: a client with timeouts that follows no
	// redirect.
	HTTP *http.Client
	// Attempts is how often a call is tried before it is given up; 0: 5.
	Attempts int
	// Pause is the wait before the second attempt, doubled each time; 0: half a
	// second. A service's Retry-After counts more, up to a minute.
	Pause time.Duration
	// Agent is the User-Agent; "": trialnotary.
	Agent string
	// Tell, if not nil, hears of each attempt that failed and is made again.
	Tell func(Attempt)
	// Now is this computer's clock; nil: time.Now.
	Now func() time.Time
}

// ParseURL returns the one form of a service's address: http or https, no user,
// query or fragment, no slash at the end.
func ParseURL(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%q is not the address of a service, as in https://notary.example", text.Visible(s))
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#"):
		return "", fmt.Errorf("%q: the address of a service has no user, query or fragment", text.Visible(s))
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	if one := u.String(); text.IndexForbidden(one, false) < 0 && !strings.Contains(one, " ") {
		return one, nil
	}
	return "", fmt.Errorf("%q is not the address of a service: it has forbidden characters", text.Visible(s))
}

// New returns a client of the service at that address. It connects to nothing yet.
func New(address string, o Options) (*Service, error) {
	base, err := ParseURL(address)
	if err != nil {
		return nil, err
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{
			Timeout:   time.Minute,
			Transport: transport(),
			// A redirect would send statements to someone the user did not name.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if o.Attempts <= 0 {
		o.Attempts = 5
	}
	if o.Pause <= 0 {
		o.Pause = time.Second / 2
	}
	if o.Agent == "" {
		o.Agent = "trialnotary"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{base, o}, nil
}

// URL returns the service's address in its one form.
func (s *Service) URL() string { return s.base }

// Submit hands in signed statements, or blind submissions of them, at most 256, all of them or none. When it
// returns nil they are durably accepted. It returns after how long to ask for the
// receipts. Errors are [*Unreachable] or [*Refused].
func (s *Service) Submit(ctx context.Context, notes ...[]byte) (time.Duration, error) {
	r := request{method: http.MethodPost, path: "/submissions", limit: 1 << 20}
	if len(notes) == 1 {
		r.body, r.contentType = notes[0], "text/plain; charset=utf-8"
	} else {
		all := struct {
			Statements []string `json:"statements"`
		}{}
		for _, n := range notes {
			all.Statements = append(all.Statements, string(n))
		}
		b, err := json.Marshal(all)
		if err != nil {
			return 0, err
		}
		r.body, r.contentType = b, "application/json"
	}
	a, err := s.do(ctx, r)
	if err != nil {
		return 0, err
	}
	if a.status != http.StatusAccepted && a.status != http.StatusOK {
		return 0, s.refused(a)
	}
	// The ids are ours to know: a service that talks about others took something
	// else in.
	var said struct {
		Statements []struct{ Statement string }
	}
	if err := json.Unmarshal(a.body, &said); err != nil || len(said.Statements) != len(notes) {
		return 0, &Unreachable{URL: s.base, Err: errors.New("its answer is not that of a notary service")}
	}
	for i, n := range notes {
		id := statement.IDOf(n)
		if requests.IsBlind(n) {
			b, err := requests.ParseBlind(n)
			if err != nil {
				return 0, err
			}
			id = b.Statement
		}
		if said.Statements[i].Statement != id.String() {
			return 0, &Unreachable{URL: s.base, Err: errors.New("it answered for another statement than was sent")}
		}
	}
	return a.retryAfter(), nil
}

// Evidence returns what the service adds to a receipt. While there is none yet
// the error is [*NotYet]; [ErrUnknown] if the statement was never accepted;
// [*Refused] if it was refused at sealing; else [*Unreachable].
func (s *Service) Evidence(ctx context.Context, r Ref) (receipt.Evidence, error) {
	a, err := s.do(ctx, request{method: http.MethodGet, limit: receipt.MaxSize,
		path: "/receipts/" + r.Stream.String() + "/" + r.Statement.String()})
	if err != nil {
		return receipt.Evidence{}, err
	}
	switch a.status {
	case http.StatusOK:
		e, err := receipt.ParseEvidence(a.body)
		if err != nil {
			err = &Unreachable{URL: s.base, Err: fmt.Errorf("its answer is no evidence: %w", err)}
		}
		return e, err
	case http.StatusAccepted:
		return receipt.Evidence{}, &NotYet{After: a.retryAfter()}
	case http.StatusNotFound:
		if !a.problem() {
			break // not a notary's 404: a wrong address would look like a lost statement
		}
		return receipt.Evidence{}, ErrUnknown
	}
	return receipt.Evidence{}, s.refused(a)
}

// Await asks for evidence until it is there or ctx ends; then the error is still
// [*NotYet]. first is the wait before the first question; tell, if not nil, hears
// how long each wait is.
func (s *Service) Await(ctx context.Context, r Ref, first time.Duration, tell func(time.Duration)) (receipt.Evidence, error) {
	for wait, n := first, 0; ; n++ {
		if tell != nil {
			tell(wait)
		}
		if !sleep(ctx, wait) {
			return receipt.Evidence{}, &NotYet{After: wait}
		}
		e, err := s.Evidence(ctx, r)
		var not *NotYet
		switch {
		case errors.As(err, &not):
			wait = min(max(not.After, 200*time.Millisecond), maxWait)
		case err != nil && ctx.Err() != nil:
			return e, &NotYet{After: wait}
		default:
			return e, err
		}
	}
}

// Trust returns the service's own trust file: to be accepted by people, and not
// before believed.
func (s *Service) Trust(ctx context.Context) (*receipt.Trust, error) {
	a, err := s.do(ctx, request{method: http.MethodGet, path: "/trust", limit: receipt.MaxTrustSize})
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, s.refused(a)
	}
	t, err := receipt.ParseTrust(a.body)
	if err != nil {
		return nil, &Unreachable{URL: s.base, Err: err}
	}
	return t, nil
}

// Checkpoint returns the newest final checkpoint, unverified.
func (s *Service) Checkpoint(ctx context.Context) ([]byte, error) {
	a, err := s.do(ctx, request{method: http.MethodGet, path: "/checkpoint", limit: 128 << 10})
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, s.refused(a)
	}
	return a.body, nil
}
