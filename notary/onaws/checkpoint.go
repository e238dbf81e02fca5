package onaws

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"trialnotary/notary"
)

const (
	checkpointName = "checkpoint"
	swapMeta       = "swap" // metadata of the object: a token of who wrote it
)

// Checkpoint returns the public mutable object `checkpoint`, nil if absent.
func (s *Store) Checkpoint(ctx context.Context) (data []byte, err error) {
	err = do(ctx, "checkpoint", func() error {
		o, err := s.get(ctx, s.site, checkpointName, "")
		if errors.Is(err, notary.ErrNotFound) {
			return nil
		}
		data = o.data
		return err
	})
	return data, err
}

// SwapCheckpoint replaces the object by If-Match, or the first time by
// If-None-Match.
func (s *Store) SwapCheckpoint(ctx context.Context, old, new []byte) error {
	return do(ctx, "swap checkpoint", func() error { return s.swapCheckpoint(ctx, old, new) })
}

func (s *Store) swapCheckpoint(ctx context.Context, old, new []byte) error {
	if len(new) == 0 {
		return errors.New("the new bytes are empty")
	}
	now, err := s.get(ctx, s.site, checkpointName, "")
	if err != nil && !errors.Is(err, notary.ErrNotFound) {
		return err
	}
	if !bytes.Equal(now.data, old) {
		return notary.ErrConflict
	}
	token := hex.EncodeToString(newToken())
	in := s.put(s.site, checkpointName, new)
	in.Metadata = map[string]string{swapMeta: token}
	in.CacheControl, in.ContentType = aws.String("public, max-age=5"), aws.String("text/plain; charset=utf-8")
	if in.IfMatch = now.etag; now.etag == nil {
		in.IfNoneMatch = aws.String("*")
	}
	_, err = s.s3.PutObject(ctx, in)
	if err == nil {
		return nil
	}
	conflict := isCode(err, "PreconditionFailed", "NoSuchKey")
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackPatience)
	defer cancel()
	there, readErr := s.get(back, s.site, checkpointName, "")
	switch {
	case readErr == nil && there.meta[swapMeta] == token:
		return nil // it took effect and did not say so
	case conflict:
		return notary.ErrConflict
	}
	return err
}
