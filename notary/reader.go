package notary

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"trialnotary/notary/request"
	"trialnotary/notary/statement"
)

// ErrUnreadable: the key that asks may not read the stream, or there is no stream
// of that id here. Which of the two it is, nothing tells: neither the answer nor
// what the service does before it.
var ErrUnreadable = errors.New("no stream of that id that this key may read")

// Untimely is the error for a request whose time is too far from the service's.
type Untimely struct{ Now time.Time } // the service's

func (*Untimely) Error() string { return "the time of the request is not the service's" }

// reading is one read that is allowed.
type reading struct {
	statement.Reader
	Stream statement.StreamID
	Trial  statement.StreamID
	Role   statement.Role // that allows it
	Closed bool           // the stream is a closed one
	head   head           // of the log as it is read
}

// mayRead decides whether the signer of ask may read a stream now. The calls of the
// store are the same, whether the stream exists or not: an answer that takes longer
// would tell of a closed stream as words do.
func (s *Service) mayRead(ctx context.Context, ask *request.Read, stream statement.StreamID) (reading, error) {
	if ask.Log != s.Origin {
		return reading{}, reject(Malformed, "the request is for the log %q, this log is %q", ask.Log, s.Origin)
	}
	if now := s.Now().UTC(); !ask.Timely(now) {
		return reading{}, &Untimely{now}
	}
	h, err := s.readHead(ctx)
	if err != nil {
		return reading{}, err
	}
	v, err := s.store.GetRows(ctx, []Row{registeredKey(stream), ownerKey(stream)})
	if err != nil {
		return reading{}, err
	}
	// A registration stream is its registration's, whoever enrolled a key for its id.
	o, keys := owner{Trial: stream}, &trial{}
	for _, row := range v {
		if row != nil {
			if o, err = parseOwner(row); err != nil {
				return reading{}, err
			}
			keys = s.trials.trial(o.Trial)
			break
		}
	}
	keys.mu.Lock()
	err = s.readTrial(ctx, o.Trial, keys, h.complete())
	a := keys.authority
	keys.mu.Unlock()
	if err != nil {
		return reading{}, err
	}
	if a == nil {
		ask.VerifiedBy(s.nobody) // takes as long
		return reading{}, ErrUnreadable
	}
	r := reading{Stream: stream, Trial: o.Trial, Closed: a.Closed(stream), head: h}
	var known bool
	if r.Reader, known = a.Reader(ask.Signed, latest, s.batchTime()); !known {
		ask.VerifiedBy(s.nobody)
		return reading{}, ErrUnreadable
	}
	if r.Role, known = r.Reads(stream); !known {
		return reading{}, ErrUnreadable
	}
	return r, nil
}

// nobodysKey is a key that nobody holds, for verifications that must fail.
func nobodysKey(origin string) statement.PublicKey {
	seed := sum([]byte("nobody " + origin))
	return statement.PublicKey{Name: "nobody", Key: [32]byte(ed25519.NewKeyFromSeed(seed[:])[32:])}
}
