package onaws

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"trialnotary/notary"
)

// PutState writes a private object, replacing any under that name.
func (s *Store) PutState(ctx context.Context, name string, data []byte) error {
	return do(ctx, "put state "+name, func() error {
		if err := notary.CheckName(name); err != nil {
			return err
		}
		_, err := s.s3.PutObject(ctx, s.put(s.state, name, data))
		return err
	})
}

// GetState returns a range of a private object.
func (s *Store) GetState(ctx context.Context, name string, offset, length int64) (data []byte, err error) {
	err = do(ctx, "get state "+name, func() error {
		if err := notary.CheckName(name); err != nil {
			return err
		}
		if offset < 0 {
			return fmt.Errorf("offset %d", offset)
		}
		o, err := s.get(ctx, s.state, name, byteRange(offset, length))
		if isRange(err) { // also every range of an empty object
			data = []byte{}
			return nil
		}
		data = o.data
		if length >= 0 && int64(len(data)) > length {
			data = data[:length:length] // nothing at all was wanted
		}
		return err
	})
	return data, err
}

// byteRange is a Range header; "" for the whole object. A range of no bytes does
// not exist in HTTP: it asks for one.
func byteRange(offset, length int64) string {
	switch last := offset + max(length, 1) - 1; {
	case offset == 0 && length < 0:
		return ""
	case length < 0, length > math.MaxInt64-offset:
		return fmt.Sprintf("bytes=%d-", offset)
	default:
		return fmt.Sprintf("bytes=%d-%d", offset, last)
	}
}

// ListState returns the names of private objects that begin with prefix.
func (s *Store) ListState(ctx context.Context, prefix string) (names []string, err error) {
	err = do(ctx, "list state", func() error {
		pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: &s.state, Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range page.Contents {
				names = append(names, *o.Key)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

// DeleteState removes a private object.
func (s *Store) DeleteState(ctx context.Context, name string) error {
	return do(ctx, "delete state "+name, func() error {
		if err := notary.CheckName(name); err != nil {
			return err
		}
		_, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.state, Key: &name})
		return err
	})
}
