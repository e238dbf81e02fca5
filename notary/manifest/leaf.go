package manifest

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"trialnotary/notary/text"
)

// LeafVersion is the first line of a leaf.
const LeafVersion = "trialnotary/file@v1"

// Leaf is what the tree of a dataset holds about one file:
//
//	trialnotary/file@v1
//	path a.csv
//	size 12
//	sha256 d69c916b…5e7daf
//	sha512 c31cfe0c…df4e3
//	content csv/v1 9cab8107…315cb
//	salt uujOOGpVxA2nILgK1hBVO2v7V00gbzn+IK1p1A4+BU4=
//
// The salt keeps its hash from confirming a guess about the file.
type Leaf struct {
	File
	Salt [32]byte
}

// Leaf returns the text of the leaf of file i, 0 ≤ i < len(m.Files). Its salt is
// HKDF-SHA256(secret, no salt, info "trialnotary/file@v1 " + path), RFC 5869.
func (m *Manifest) Leaf(i int) []byte {
	return m.leaf(newSalts(m.Secret), i).append(nil)
}

func (m *Manifest) leaf(s salts, i int) Leaf {
	return Leaf{File: m.Files[i], Salt: s.of(m.Files[i].Path)}
}

// salts is the pseudorandom key of the extract step, the same for every file.
type salts []byte

func newSalts(secret [32]byte) salts {
	prk, err := hkdf.Extract(sha256.New, secret[:], nil)
	if err != nil {
		panic(err) // only for a hash that FIPS mode forbids
	}
	return prk
}

func (s salts) of(path string) [32]byte {
	b, err := hkdf.Expand(sha256.New, s, LeafVersion+" "+path, 32)
	if err != nil {
		panic(err) // only for lengths above 255 hashes
	}
	return [32]byte(b)
}

// Bytes returns the leaf's text, or an error when it breaks a rule.
func (l Leaf) Bytes() ([]byte, error) {
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	return l.append(nil), nil
}

func (l Leaf) append(b []byte) []byte {
	b = append(b, LeafVersion+"\npath "...)
	b = append(b, l.Path...)
	b = append(b, "\nsize "...)
	b = strconv.AppendUint(b, l.Size, 10)
	b = append(b, "\nsha256 "...)
	b = hex.AppendEncode(b, l.SHA256[:])
	b = append(b, "\nsha512 "...)
	b = hex.AppendEncode(b, l.SHA512[:])
	if l.Content != nil {
		b = append(append(append(b, "\ncontent "...), l.Content.Profile...), ' ')
		b = hex.AppendEncode(b, l.Content.SHA256[:])
	}
	return append(append(append(b, "\nsalt "...), text.Base64(l.Salt[:])...), '\n')
}

// ParseLeaf parses the text of a leaf. Errors wrap [text.ErrFormat] and name the
// line.
func ParseLeaf(b []byte) (Leaf, error) {
	var l Leaf
	r := text.NewReader(b)
	r.Exact(LeafVersion)
	l.Path = r.Value("path")
	if why := pathFault(l.Path); why != "" && r.Err() == nil {
		r.Fail("has path %q, which %s", clip(l.Path), why)
	}
	l.Size = r.Uint("size")
	if v := r.Value("sha256"); r.Err() == nil {
		l.SHA256 = parseHex32(r, v)
	}
	if v := r.Value("sha512"); r.Err() == nil {
		l.SHA512 = parseHex64(r, v)
	}
	if r.Has("content") {
		f := r.Fields("content", 2, 2)
		if r.Err() == nil && !validProfile(f[0]) {
			r.Fail("has profile %q, want [a-z0-9][a-z0-9._/-]{0,63}", clip(f[0]))
		}
		if r.Err() == nil {
			l.Content = &Content{Profile: f[0], SHA256: parseHex32(r, f[1])}
		}
	}
	l.Salt = r.Hash("salt")
	if err := r.Done(); err != nil {
		return Leaf{}, fmt.Errorf("file: %w", err)
	}
	if !bytes.Equal(l.append(nil), b) {
		return Leaf{}, fmt.Errorf("file: %w", text.ErrFormat)
	}
	return l, nil
}
