package onaws

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Attributes of an item besides its keys.
const (
	valueAttribute    = "v" // binary: the value as it is
	deflatedAttribute = "z" // binary: the value deflated (RFC 1951), instead of v
	headAttribute     = "h" // binary: an accepted statement's time and lane
	tokenAttribute    = "t" // binary: who swapped the value last
)

// writeUnit is the bytes of an item that one write unit pays for.
const writeUnit = 1024

// maxValue bounds what is inflated: notes and rows have 16 KiB at most, the head
// cell less.
const maxValue = 64 << 10

type attributes = map[string]types.AttributeValue

// key names an item.
type key struct{ partition, sort string }

func (k key) attributes() attributes {
	return attributes{
		PartitionKey: &types.AttributeValueMemberS{Value: k.partition},
		SortKey:      &types.AttributeValueMemberS{Value: k.sort},
	}
}

func keyOf(a attributes) (key, error) {
	p, ok1 := a[PartitionKey].(*types.AttributeValueMemberS)
	s, ok2 := a[SortKey].(*types.AttributeValueMemberS)
	if !ok1 || !ok2 {
		return key{}, errors.New("an item of the table has no keys")
	}
	return key{p.Value, s.Value}, nil
}

// fits reports whether a value is always stored as it is.
func (k key) fits(value []byte) bool {
	const names = len(PartitionKey) + len(SortKey) + len(valueAttribute) + len(headAttribute) + len(tokenAttribute)
	const others = 16 // head or token, never both
	return names+others+len(k.partition)+len(k.sort)+len(value) <= writeUnit
}

// item returns the item that holds value under k.
func (s *Store) item(k key, value []byte) attributes {
	a := k.attributes()
	if !k.fits(value) {
		if z := s.deflate(value); len(z) < len(value) {
			a[deflatedAttribute] = binary(z)
			return a
		}
	}
	a[valueAttribute] = binary(value)
	return a
}

func binary(b []byte) *types.AttributeValueMemberB { return &types.AttributeValueMemberB{Value: b} }

// bytesOf returns a binary attribute, nil if absent.
func bytesOf(a attributes, name string) []byte {
	if b, ok := a[name].(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	return nil
}

// value returns what an item holds, nil for no item.
func value(a attributes) ([]byte, error) {
	if len(a) == 0 {
		return nil, nil
	}
	if v, ok := a[valueAttribute].(*types.AttributeValueMemberB); ok {
		return append([]byte{}, v.Value...), nil
	}
	z, ok := a[deflatedAttribute].(*types.AttributeValueMemberB)
	if !ok {
		return nil, errors.New("an item of the table has no value")
	}
	v, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(z.Value)), maxValue+1))
	if err == nil && len(v) > maxValue {
		err = fmt.Errorf("more than %d bytes", maxValue)
	}
	if err != nil {
		return nil, fmt.Errorf("inflate the value of an item: %w", err)
	}
	return v, nil
}

func (s *Store) deflate(b []byte) []byte {
	var out bytes.Buffer
	w, _ := s.deflaters.Get().(*flate.Writer)
	if w == nil {
		w, _ = flate.NewWriter(&out, flate.DefaultCompression) // the level is valid
	} else {
		w.Reset(&out)
	}
	w.Write(b) // a buffer takes everything
	w.Close()
	s.deflaters.Put(w)
	return out.Bytes()
}
