package receipt

import (
	"crypto/sha256"
	"sync"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/timestamp"
)

// maxSeen bounds how many checkpoints a [Verifier] remembers.
const maxSeen = 1 << 16

// Verifier verifies many receipts with the same options. What it found of a
// checkpoint it remembers: statements sealed together share one, all of a trial
// share the registration's, and each has up to five signatures. Safe for concurrent
// use.
type Verifier struct {
	o           Options
	authorities *timestamp.Authorities

	mu   sync.Mutex
	seen map[judged]found
}

// judged is a checkpoint, by its hash, and the time it was judged as of where no
// witness proves one: now, or a receipt's renewal.
type judged struct {
	file [32]byte
	at   int64
}

type found struct {
	met checkpoint.Met
	err error
}

// NewVerifier returns a verifier. Options.Now, where it is zero, is now.
func NewVerifier(o Options) *Verifier {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	f := &Verifier{o: o, seen: map[judged]found{}}
	if o.Trust != nil && o.Trust.TSA != nil {
		// A trust file that parsed has certificates that parse.
		if a, err := timestamp.ParseAuthorities(o.Trust.TSA); err == nil {
			f.authorities = a
		}
	}
	return f
}

// Verify is [Receipt.Verify].
func (f *Verifier) Verify(r *Receipt) (*Verdict, error) { return f.verification(r).run() }

func (f *Verifier) verification(r *Receipt) *verification {
	t := &verification{r: r, o: f.o, authorities: f.authorities, v: &Verdict{
		Unsigned:  f.o.Trust == nil,
		Confirmed: f.o.Trust != nil && f.o.Confirmed,
	}}
	t.policy = func(s checkpoint.Signed, at time.Time) (checkpoint.Met, error) {
		key := judged{sha256.Sum256(s.Raw), at.UnixNano()}
		f.mu.Lock()
		k, ok := f.seen[key]
		f.mu.Unlock()
		if !ok {
			k.met, k.err = f.o.Trust.Meets(s, at)
			f.mu.Lock()
			if len(f.seen) >= maxSeen {
				clear(f.seen)
			}
			f.seen[key] = k
			f.mu.Unlock()
		}
		return k.met, k.err
	}
	return t
}
