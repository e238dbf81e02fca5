package checkpoint

import (
	"encoding/binary"
	"fmt"
	"strings"

	"trialnotary/notary/text"
)

// Line is one signature line, unverified.
type Line struct {
	Name string // key name
	Hash uint32 // key id
	Sig  []byte // without the key id
}

// String returns the line with its line feed.
func (l Line) String() string {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(l.Sig)), l.Hash)
	return "— " + l.Name + " " + text.Base64(append(b, l.Sig...)) + "\n"
}

// ParseLines parses signature lines alone, as a witness answers them.
func ParseLines(b []byte) ([]Line, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("signature lines: %d bytes, at most %d are allowed: %w", len(b), MaxSize, text.ErrFormat)
	}
	r := text.NewReader(b)
	var lines []Line
	for r.More() {
		l, err := parseLine(r.Line())
		if err != nil {
			r.Fail("%v", err)
		}
		lines = append(lines, l)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("signature lines: %w", err)
	}
	if err := distinct(lines); err != nil {
		return nil, fmt.Errorf("signature lines: %w: %w", err, text.ErrFormat)
	}
	return lines, nil
}

func parseLine(s string) (Line, error) {
	name, b64, ok := strings.Cut(strings.TrimPrefix(s, "— "), " ")
	if !ok || !strings.HasPrefix(s, "— ") || !validName(name) {
		return Line{}, fmt.Errorf("is no signature line")
	}
	// x/mod accepts other base64 of the same bytes; a checkpoint has one form.
	sig, err := text.ParseBase64(b64)
	if err != nil || len(sig) < 5 {
		return Line{}, fmt.Errorf("has a signature that is not canonical base64 of a key id and a signature")
	}
	return Line{Name: name, Hash: binary.BigEndian.Uint32(sig), Sig: sig[4:]}, nil
}

func distinct(lines []Line) error {
	type key struct {
		name string
		hash uint32
	}
	if len(lines) > MaxLines {
		return fmt.Errorf("%d signature lines, at most %d are allowed", len(lines), MaxLines)
	}
	seen := make(map[key]bool, len(lines))
	for i, l := range lines {
		k := key{l.Name, l.Hash}
		if seen[k] {
			return fmt.Errorf("signature line %d is a second one of the same key", i+1)
		}
		seen[k] = true
	}
	return nil
}
