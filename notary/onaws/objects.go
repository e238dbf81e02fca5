package onaws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"trialnotary/notary"
)

// bodyTries is how often an object is read when its body breaks off.
const bodyTries = 3

// Put writes an object of the log once. If the name is taken, by others or by a
// try of this call that had no answer, what is there decides.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return do(ctx, "put "+name, func() error {
		if err := notary.CheckPublicName(name); err != nil {
			return err
		}
		in := s.put(s.log, name, data)
		in.IfNoneMatch = aws.String("*")
		in.CacheControl, in.ContentType = aws.String("public, max-age=31536000, immutable"), aws.String(mediaType(name))
		_, err := s.s3.PutObject(ctx, in)
		if !isCode(err, "PreconditionFailed") {
			return err
		}
		o, err := s.get(ctx, s.log, name, "")
		if err != nil {
			return fmt.Errorf("the name is taken, but cannot be read: %w", hideMissing(err))
		}
		if !bytes.Equal(o.data, data) {
			return notary.ErrDiffers
		}
		return nil
	})
}

// Get returns an object of the log. One under a delete marker is no missing one:
// somebody hid it.
func (s *Store) Get(ctx context.Context, name string) (data []byte, err error) {
	err = do(ctx, "get "+name, func() error {
		if err := notary.CheckPublicName(name); err != nil {
			return err
		}
		o, err := s.get(ctx, s.log, name, "")
		data = o.data
		return err
	})
	return data, err
}

// mediaType is what browsers are told of an object of the log.
func mediaType(name string) string {
	if strings.HasPrefix(name, "tile/") {
		return "application/octet-stream"
	}
	return "text/plain; charset=utf-8"
}

// put is a write with a checksum computed here, so that S3 refuses what was
// changed on its way.
func (s *Store) put(bucket, name string, data []byte) *s3.PutObjectInput {
	sum := sha256.Sum256(data)
	return &s3.PutObjectInput{Bucket: &bucket, Key: &name, Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:]))}
}

// object is what a read returns.
type object struct {
	data []byte // not nil
	etag *string
	meta map[string]string
}

// get reads an object, or the range of it. ErrNotFound if there is none.
func (s *Store) get(ctx context.Context, bucket, name, byteRange string) (object, error) {
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &name}
	if byteRange != "" {
		in.Range = &byteRange
	}
	for try := 1; ; try++ {
		out, err := s.s3.GetObject(ctx, in)
		if err != nil {
			return object{}, missing(name, err)
		}
		data, err := io.ReadAll(out.Body)
		out.Body.Close()
		if err == nil {
			return object{append([]byte{}, data...), out.ETag, out.Metadata}, nil
		}
		if try == bodyTries {
			return object{}, fmt.Errorf("its body breaks off: %w", err)
		}
		if err := pause(ctx, try); err != nil {
			return object{}, err
		}
	}
}

// missing turns S3's NoSuchKey into ErrNotFound, and into *Unlocked under a delete
// marker. NoSuchBucket has the same status and is a fault.
func missing(name string, err error) error {
	if !isCode(err, "NoSuchKey") {
		return err
	}
	var r *awshttp.ResponseError
	if errors.As(err, &r) && r.Response != nil && r.Response.Header.Get("x-amz-delete-marker") == "true" {
		return &Unlocked{name, "a delete marker hides it"}
	}
	return notary.ErrNotFound
}

// hideMissing keeps an internal surprise from looking like an absent object.
func hideMissing(err error) error {
	if errors.Is(err, notary.ErrNotFound) {
		return errors.New("it is gone again")
	}
	return err
}

// isCode reports whether AWS answered with one of the error codes.
func isCode(err error, codes ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

// isStatus reports whether the answer had the status.
func isStatus(err error, status int) bool {
	var r *awshttp.ResponseError
	return errors.As(err, &r) && r.HTTPStatusCode() == status
}

// isRange reports that a range begins behind the object's end.
func isRange(err error) bool {
	return isCode(err, "InvalidRange") || isStatus(err, http.StatusRequestedRangeNotSatisfiable)
}
