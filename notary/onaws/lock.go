package onaws

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Unlocked is what is wrong with the protection of the log bucket or of one of
// its objects.
type Unlocked struct{ Object, Reason string }

func (u *Unlocked) Error() string { return u.Object + ": " + u.Reason }

// lockSlack is how much earlier than computed a lock may end: S3 counts from its
// own clock, to the second.
const lockSlack = time.Minute

// CheckLocks reads back the log bucket's configuration: versions kept, Object Lock
// on, and a default of COMPLIANCE for r at least. *Unlocked says what is wrong.
func (s *Store) CheckLocks(ctx context.Context, r Retention) error {
	wrong := func(format string, a ...any) error {
		return &Unlocked{"the log bucket", fmt.Sprintf(format, a...)}
	}
	v, err := s.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &s.log})
	if err != nil {
		return fmt.Errorf("read the log bucket's versioning: %w", err)
	}
	if v.Status != types.BucketVersioningStatusEnabled {
		return wrong("versioning is %q, not Enabled", v.Status)
	}
	out, err := s.s3.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &s.log})
	if isCode(err, "ObjectLockConfigurationNotFoundError") {
		return wrong("it has no Object Lock")
	} else if err != nil {
		return fmt.Errorf("read the log bucket's lock: %w", err)
	}
	c := out.ObjectLockConfiguration
	if c == nil || c.ObjectLockEnabled != types.ObjectLockEnabledEnabled || c.Rule == nil || c.Rule.DefaultRetention == nil {
		return wrong("it has no default retention")
	}
	d := c.Rule.DefaultRetention
	is := Retention{Days: int(aws.ToInt32(d.Days)), Years: int(aws.ToInt32(d.Years))}
	if d.Mode != types.ObjectLockRetentionModeCompliance || is.From(time.Time{}).Before(r.From(time.Time{})) {
		return wrong("the default retention is %s %v, not COMPLIANCE %v", d.Mode, is, r)
	}
	return nil
}

// CheckLock reads back one object of the log: exactly one version, no delete
// marker, COMPLIANCE, and locked for r from its writing on. *Unlocked says what is
// wrong. Without s3:GetObjectRetention every object looks unlocked.
func (s *Store) CheckLock(ctx context.Context, name string, r Retention) error {
	wrong := func(format string, a ...any) error { return &Unlocked{name, fmt.Sprintf(format, a...)} }
	// The versions of a name come before those of the longer ones that begin with it.
	list, err := s.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &s.log, Prefix: &name, MaxKeys: aws.Int32(4)})
	if err != nil {
		return fmt.Errorf("list the versions of %s: %w", name, err)
	}
	versions := 0
	for _, v := range list.Versions {
		if aws.ToString(v.Key) == name {
			versions++
		}
	}
	for _, m := range list.DeleteMarkers {
		if aws.ToString(m.Key) == name {
			return wrong("a delete marker hides it")
		}
	}
	if versions != 1 {
		return wrong("%d versions, not 1", versions)
	}
	head, err := s.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.log, Key: &name})
	if err != nil {
		return fmt.Errorf("read the lock of %s: %w", name, err)
	}
	switch written := aws.ToTime(head.LastModified); {
	case head.ObjectLockMode != types.ObjectLockModeCompliance:
		return wrong("its lock is %q, not COMPLIANCE", head.ObjectLockMode)
	case head.ObjectLockRetainUntilDate == nil || head.ObjectLockRetainUntilDate.Before(r.From(written).Add(-lockSlack)):
		return wrong("written %s and locked until %s, not for %v", written.UTC().Format(time.RFC3339),
			aws.ToTime(head.ObjectLockRetainUntilDate).UTC().Format(time.RFC3339), r)
	}
	return nil
}
