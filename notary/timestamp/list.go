package timestamp

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"

	"trialnotary/notary/text"
)

// Listed is a time-stamping authority as an operator names it.
type Listed struct{ Name, URL string }

// MaxListed bounds how many authorities are asked about one checkpoint, so that
// their tokens fit a receipt; MaxList bounds a list, and its certificates, in bytes.
const (
	MaxListed = 4
	MaxList   = 256 << 10
)

var listedName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// ParseList parses a list of authorities, one a line, with # before what is for
// people:
//
//	office https://tsa.example/tsr
//	second https://time.example/
//
// Names are the operator's own, [a-z0-9][a-z0-9._-]{0,63}. Errors name the line.
func ParseList(file []byte) ([]Listed, error) {
	var all []Listed
	for i, line := range strings.Split(string(file), "\n") {
		fail := func(format string, args ...any) error {
			return fmt.Errorf("line %d %s: %w", i+1, fmt.Sprintf(format, args...), text.ErrFormat)
		}
		line = strings.TrimSuffix(line, "\r")
		if text.IndexForbidden(strings.ReplaceAll(line, "\t", " "), false) >= 0 {
			return nil, fail("has a control character")
		}
		f := strings.Fields(line)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		if len(f) != 2 {
			return nil, fail("is not a name and an address: office https://tsa.example/")
		}
		l := Listed{f[0], f[1]}
		if !listedName.MatchString(l.Name) {
			return nil, fail("names an authority %q: a name is of [a-z0-9._-] and at most 64 of them", text.Visible(l.Name))
		}
		for _, before := range all {
			if before.Name == l.Name {
				return nil, fail("has the name %s again", l.Name)
			}
		}
		if _, err := NewAuthority(l, nil, nil); err != nil {
			return nil, fail("is wrong: %v", err)
		}
		if all = append(all, l); len(all) > MaxListed {
			return nil, fail("is one too many: at most %d authorities are asked", MaxListed)
		}
	}
	return all, nil
}

// ParseAsked parses a list and, after it, the certificates that its authorities are
// trusted under, as PEM. A list without certificates is an error, since nothing that
// its authorities answer would count.
func ParseAsked(file []byte) (asked []*Authority, roots []byte, err error) {
	if i := bytes.Index(file, []byte("-----BEGIN")); i >= 0 {
		file, roots = file[:i], file[i:]
	}
	list, err := ParseList(file)
	if err != nil {
		return nil, nil, err
	}
	trusted, err := ParseAuthorities(roots)
	switch {
	case err != nil:
		return nil, nil, err
	case len(list) > 0 && len(trusted.certs) == 0:
		return nil, nil, fmt.Errorf("there is no certificate to trust %s under: their root certificates are wanted, as PEM", list[0].Name)
	}
	roots = nil // as they are written for the trust file, without what is for people
	for _, c := range trusted.certs {
		roots = append(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	for _, l := range list {
		a, err := NewAuthority(l, trusted, nil)
		if err != nil {
			return nil, nil, err
		}
		asked = append(asked, a)
	}
	return asked, roots, nil
}
