// Package statement reads and writes what participants of a trial say: signed
// notes in one strict, canonical form (formats, section Statement), the keys
// that sign them, and the authority those keys have ([Authority]).
//
// A statement is lines in a fixed order, then an empty line and exactly one
// C2SP signed-note signature line (c2sp.org/signed-note):
//
//	trialnotary/statement@v1
//	log log.example/trials
//	trial NCT01234567
//	stream site-001 lrwXRvc7MR3uqrbj+Dh5R4C/UT51n+VJJ4v56T+Im30=
//	kind dataset
//	dataset AU5XUydotHFrrCjLZaREgRGRjKBbsu57/8ezKm1kOlc= 3 35
//	meaning authorship
//	signer Jane Doe
//	time 2026-11-21T14:34:56Z
//	salt 1sniJgvaRI87zJxvwrdqJ/hq7kk5cRADAtRkrYqmqHw=
//
//	— site-001.jdoe RmXz3zi3xEmm7LoYVaSK83i0IwXDLa032UBTJLwl7YKuD1uHhjfLUWeRrpSJr1IbItQFc5TPaFrFry3rp+hgPxItIAk=
//
// Its id is SHA-256 of all of these bytes. It belongs to a stream, whose public
// id ([StreamIDOf]) reveals neither trial nor name. Invariants: [Parse] accepts
// exactly the bytes that [Sign] could have made, so one id stands for one
// statement; nothing is verified by parsing.
package statement

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"trialnotary/notary/text"
)

// Version is the first line of every statement.
const Version = "trialnotary/statement@v1"

// MaxSize is the size in bytes of the largest note of a statement.
const MaxSize = 8 << 10

// Limits of one statement; sizes in bytes of UTF-8.
const (
	MaxOrigin = 255 // as tlog-cosignature has it
	MaxLabel  = 200
	MaxReason = 200
	MaxPerson = 100 // person and signer
	MaxAbout  = 16
	MaxAlso   = 8
	MaxRules  = 32
)

// Key is a key line: the role a key has in a stream of the trial.
type Key struct {
	Role   Role
	Name   string // of the stream
	Stream StreamID
	Key    PublicKey
}

// Also is another id of the same trial. Salt is that of its registration stream:
// nil for a public id, set and not all zero for a private one.
type Also struct {
	Trial string
	Salt  *[32]byte
}

// Rule promises that this trial seals the first before the second.
type Rule struct{ First, Then Kind }

// Dataset commits to files: the root and totals of their manifest.
type Dataset struct {
	Root  [32]byte
	Files uint64 // ≥ 1
	Bytes uint64
}

// After names a final checkpoint, of Size leaves, that the signer had verified;
// Hash is SHA-256 of its file, byte for byte.
type After struct {
	Size uint64
	Hash [32]byte
}

// Statement is what one participant says. Zero values stand for absent lines.
type Statement struct {
	Log        string // origin of the one log it is for
	Trial      string // a normalised id, see [NormalizeTrial]
	StreamName string
	StreamSalt [32]byte
	Kind       Kind
	Label      string
	Dataset    *Dataset
	Meaning    Meaning // both or neither with Signer
	Signer     string
	Supersedes *ID
	About      []ID
	Reason     string
	Keys       []Key
	Person     string
	Until      time.Time
	Also       []Also
	Rules      []Rule
	After      *After
	Time       time.Time // the signer's clock, whole seconds: a claim
	Salt       [32]byte  // random: the id reveals nothing
}

// Text returns the canonical text, ending in a line feed, without a signature.
// It fails, wrapping [text.ErrFormat] and naming the line, if any rule of the
// format is broken.
func (s *Statement) Text() ([]byte, error) {
	if f := s.check(); f != nil {
		return nil, fmt.Errorf("statement: the line %q %s: %w", f.key, f.why, text.ErrFormat)
	}
	return s.append(make([]byte, 0, 1024)), nil
}

// Stream returns the id of the stream the statement says it stands in.
func (s *Statement) Stream() StreamID {
	return StreamIDOf(s.Log, s.Trial, s.StreamName, s.StreamSalt)
}

// RegistrationStreams returns the ids of the streams in which a registration is
// entered: those of its other ids first, in their order, then its own. It is nil
// for other kinds.
func (s *Statement) RegistrationStreams() []StreamID {
	if s.Kind != KindRegistration {
		return nil
	}
	ids := make([]StreamID, 0, len(s.Also)+1)
	for _, a := range s.Also {
		var salt [32]byte // 32 zero bytes: a public id
		if a.Salt != nil {
			salt = *a.Salt
		}
		ids = append(ids, StreamIDOf(s.Log, a.Trial, RegistrationStream, salt))
	}
	return append(ids, s.Stream())
}

// append appends the lines in the order of the format.
func (s *Statement) append(dst []byte) []byte {
	dst = append(dst, Version+"\n"...)
	dst = appendLine(dst, "log", s.Log)
	dst = appendLine(dst, "trial", s.Trial)
	dst = append(append(append(dst, "stream "...), s.StreamName...), ' ')
	dst = append(appendBase64(dst, s.StreamSalt[:]), '\n')
	dst = appendLine(dst, "kind", string(s.Kind))
	dst = appendLine(dst, "label", s.Label)
	if d := s.Dataset; d != nil {
		dst = appendBase64(append(dst, "dataset "...), d.Root[:])
		dst = strconv.AppendUint(append(dst, ' '), d.Files, 10)
		dst = append(strconv.AppendUint(append(dst, ' '), d.Bytes, 10), '\n')
	}
	dst = appendLine(dst, "meaning", string(s.Meaning))
	dst = appendLine(dst, "signer", s.Signer)
	if s.Supersedes != nil {
		dst = append(hex.AppendEncode(append(dst, "supersedes "...), s.Supersedes[:]), '\n')
	}
	for i := range s.About {
		dst = append(hex.AppendEncode(append(dst, "about "...), s.About[i][:]), '\n')
	}
	dst = appendLine(dst, "reason", s.Reason)
	for _, k := range s.Keys {
		dst = append(append(append(dst, "key "...), k.Role...), ' ')
		dst = append(append(dst, k.Name...), ' ')
		dst = append(hex.AppendEncode(dst, k.Stream[:]), ' ')
		dst = append(k.Key.append(dst), '\n')
	}
	dst = appendLine(dst, "person", s.Person)
	if !s.Until.IsZero() {
		dst = append(appendTime(append(dst, "until "...), s.Until), '\n')
	}
	for _, a := range s.Also {
		dst = append(append(dst, "also "...), a.Trial...)
		if a.Salt != nil {
			dst = appendBase64(append(dst, ' '), a.Salt[:])
		}
		dst = append(dst, '\n')
	}
	for _, r := range s.Rules {
		dst = append(append(append(dst, "rule "...), r.First...), " before "...)
		dst = append(append(dst, r.Then...), '\n')
	}
	if a := s.After; a != nil {
		dst = strconv.AppendUint(append(dst, "after "...), a.Size, 10)
		dst = append(appendBase64(append(dst, ' '), a.Hash[:]), '\n')
	}
	dst = append(appendTime(append(dst, "time "...), s.Time), '\n')
	dst = append(base64.StdEncoding.AppendEncode(append(dst, "salt "...), s.Salt[:]), '\n')
	return dst
}

// appendLine appends "key value", or nothing for an empty value.
func appendLine(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return append(append(append(append(dst, key...), ' '), value...), '\n')
}

func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05Z")
}
