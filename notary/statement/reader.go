package statement

import (
	"slices"
	"time"
)

// Reader is a participant who asks for what the service holds of a trial: the key
// that signed a request, and the grants by which it reads.
//
// Every key of a trial reads its own stream and the registration streams. Sponsor,
// recovery, monitor and board keys read the trial stream and every open stream,
// inspector and dsmb keys every stream. A stream is closed by a grant, in force or
// not, of role dsmb or laboratory.
type Reader struct {
	Key    PublicKey
	a      *Authority
	grants []*Grant
}

// Reader returns who signed s, if that is a key with a grant in force at that index
// of the log and that time, in whichever stream of the trial.
func (a *Authority) Reader(s Signed, index uint64, at time.Time) (Reader, bool) {
	var in []*Grant
	for k, grants := range a.grants {
		if k.name != s.KeyName || k.hash != s.KeyHash {
			continue
		}
		for _, g := range grants {
			if a.lapse(g, index, at) == "" {
				in = append(in, g)
			}
		}
	}
	if in = signedBy(s, in); len(in) == 0 {
		return Reader{}, false
	}
	slices.SortFunc(in, func(x, y *Grant) int {
		if x.Index < y.Index {
			return -1
		}
		return 1
	})
	return Reader{in[0].Key.Key, a, in}, true
}

// Reads reports whether the reader may read a stream, and the role that lets it:
// that of its oldest grant which suffices.
func (r Reader) Reads(id StreamID) (Role, bool) {
	name, ours := r.a.names[id]
	if !ours {
		return "", false
	}
	for _, g := range r.grants {
		switch {
		case name == RegistrationStream, g.Stream == id, g.Role.readsAll(), g.Role.readsOpen() && !r.a.closed[id]:
			return g.Role, true
		}
	}
	return "", false
}

// ReadsAll reports whether the reader may know of closed streams.
func (r Reader) ReadsAll() bool {
	return slices.ContainsFunc(r.grants, func(g *Grant) bool { return g.Role.readsAll() })
}

// Closed reports whether id is a closed stream of the trial.
func (a *Authority) Closed(id StreamID) bool { return a.closed[id] }
