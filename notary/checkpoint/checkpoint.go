// Package checkpoint is the signed head of the log and the rules by which a
// visitor believes it: C2SP signed-note, tlog-checkpoint, tlog-cosignature,
// tlog-policy and tlog-proof, each in the one strict form of this project.
//
// A checkpoint is three lines — origin, size, root — and signature lines:
//
//	log.example/trials
//	3
//	L6zoouF8/4UkXkVo91Etiam+SiqWwzk8fZRjTy0yCVE=
//
//	— log.example/trials asSrFfuBXPj9LeSK…
//	— log.example/trials zF3A5AAAAABrAv0Y…
//	— witness1.example qs7WaQAAAABrAv0Y…
//
// The log signs with two keys of its own name, Ed25519 (type 0x01; P-256, 0x02,
// may stand for it) and ML-DSA-44 (type 0x06, a timestamped cosignature);
// witnesses add cosignatures of type 0x04 or 0x06. [Parse] reads the form and
// believes nothing; [Policy.Verify] checks signatures, quorum and times.
//
// Invariants: no extension lines; every line canonical base64; no two lines of
// the same key name and key id; parse and format give the same bytes.
package checkpoint

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"

	"trialnotary/notary/text"
)

// MaxSize bounds a signed checkpoint in bytes, MaxLines its signature lines:
// well above the 16 signatures of 5 kB that signed-note asks readers to accept.
const (
	MaxSize  = 128 << 10
	MaxLines = 64
)

// Checkpoint is the head of a log at a size.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   [32]byte
}

// Text returns the three lines that are signed.
func (c Checkpoint) Text() []byte {
	return []byte(c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + text.Base64(c.Root[:]) + "\n")
}

// Signed is a checkpoint in its signed form. Its signatures are not verified,
// and none of its lines may be shown before [Policy.Verify] accepts it.
type Signed struct {
	Checkpoint
	Raw   []byte
	Lines []Line
}

// Parse parses a signed checkpoint of at most [MaxSize] bytes. Raw aliases b.
// Errors wrap [text.ErrFormat] and name the line.
func Parse(b []byte) (Signed, error) {
	if len(b) > MaxSize {
		return Signed{}, fmt.Errorf("checkpoint: %d bytes, at most %d are allowed: %w", len(b), MaxSize, text.ErrFormat)
	}
	r := text.NewReader(b)
	s := Signed{Raw: b}
	s.Origin = r.Line()
	if err := ValidOrigin(s.Origin); err != nil && r.Err() == nil {
		r.Fail("is no origin: %v", err)
	}
	s.Size = r.ParseUint(r.Line())
	s.Root = r.ParseHash(r.Line())
	if l := r.Line(); r.Err() == nil && l != "" {
		r.Fail("is an extension line, and this log has none")
	}
	// One line is at least there; Line fails when it is missing.
	for first := true; first || r.More(); first = false {
		line, err := parseLine(r.Line())
		if r.Err() != nil {
			break
		}
		if err != nil {
			r.Fail("%v", err)
			break
		}
		s.Lines = append(s.Lines, line)
	}
	if err := r.Done(); err != nil {
		return Signed{}, fmt.Errorf("checkpoint: %w", err)
	}
	if err := distinct(s.Lines); err != nil {
		return Signed{}, fmt.Errorf("checkpoint: %w: %w", err, text.ErrFormat)
	}
	if !bytes.Equal(s.format(), b) {
		return Signed{}, fmt.Errorf("checkpoint: %w", text.ErrFormat)
	}
	return s, nil
}

// With returns the same checkpoint with further signature lines at its end.
func (s Signed) With(lines ...Line) (Signed, error) {
	all := append(append([]Line(nil), s.Lines...), lines...)
	return Parse(Signed{Checkpoint: s.Checkpoint, Lines: all}.format())
}

func (s Signed) format() []byte {
	var b bytes.Buffer
	b.Write(s.Text())
	b.WriteByte('\n')
	for _, l := range s.Lines {
		b.WriteString(l.String())
	}
	return b.Bytes()
}

// ValidOrigin reports why s cannot be the origin of a log, nil if it can. An
// origin is also the name of the log's keys: 1 to 255 bytes (tlog-cosignature
// has one byte for the length), no blanks, no plus, no control characters.
func ValidOrigin(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("it is empty")
	case len(s) > 255:
		return fmt.Errorf("it has %d bytes, at most 255 are allowed", len(s))
	case !validName(s):
		return fmt.Errorf("it has a blank, a plus or a control character")
	}
	return nil
}

// validName is the rule of signed-note for key names, and ours on characters.
func validName(s string) bool {
	return s != "" && !strings.Contains(s, "+") && strings.IndexFunc(s, unicode.IsSpace) < 0 && text.IndexForbidden(s, false) < 0
}

// Sign returns the checkpoint signed by each signer, in their order. The name of
// every signer is the origin. Every signature is verified before it is returned:
// a signer that lies, or a fault on the way, is an error.
func Sign(c Checkpoint, signers []Signer) ([]byte, error) {
	if err := ValidOrigin(c.Origin); err != nil {
		return nil, fmt.Errorf("sign checkpoint %d: origin: %w", c.Size, err)
	}
	if len(signers) == 0 {
		return nil, fmt.Errorf("sign checkpoint %d: no signers", c.Size)
	}
	s := Signed{Checkpoint: c}
	for _, k := range signers {
		v, alg, err := VerifierFor(k.VerifierKey())
		if err != nil {
			return nil, fmt.Errorf("sign checkpoint %d: key of %s: %w", c.Size, k.Name(), err)
		}
		if v.Name() != k.Name() || v.KeyHash() != k.KeyHash() || k.Name() != c.Origin {
			return nil, fmt.Errorf("sign checkpoint %d: the %s key is not one of %s", c.Size, alg, c.Origin)
		}
		sig, err := k.Sign(c.Text())
		if err != nil {
			return nil, fmt.Errorf("sign checkpoint %d with %s: %w", c.Size, alg, err)
		}
		if !v.Verify(c.Text(), sig) {
			return nil, fmt.Errorf("sign checkpoint %d: the %s signature does not verify", c.Size, alg)
		}
		s.Lines = append(s.Lines, Line{k.Name(), k.KeyHash(), sig})
	}
	s, err := Parse(s.format())
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint %d: %w", c.Size, err)
	}
	return s.Raw, nil
}

// Signer is a key of the log.
type Signer interface {
	note.Signer
	VerifierKey() string // name+key id+base64 of type and public key
}
