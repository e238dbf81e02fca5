package onaws

import (
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"trialnotary/notary"
)

// What the store writes is locked by the bucket's default, cannot be deleted, and
// what somebody does around the store is seen. S3 here is LocalStack's.
func TestLocksOnEmulator(t *testing.T) {
	url := os.Getenv(localStack)
	if url == "" {
		t.Skipf("%s is not set", localStack)
	}
	ctx := t.Context()
	name := "t" + strings.ToLower(rand.Text())
	c := clientsAt(t, url)
	e := Env{Table: name, LogBucket: name + "-log", StateBucket: name + "-state", SiteBucket: name + "-site"}
	createBuckets(t, c, e)
	s := NewStore(c, e)
	for _, o := range []string{"tile/0/000", "tile/0/000.p/5", "heads/1", "heads/2", "heads/3"} {
		must(t, s.Put(ctx, o, []byte(o)))
		must(t, s.Put(ctx, o, []byte(o)))
		must(t, s.CheckLock(ctx, o, Retention{Days: 1}))
	}
	must(t, s.CheckLocks(ctx, Retention{Days: 1}))
	unlocked := func(why string, err error) {
		t.Helper()
		var u *Unlocked
		if !errors.As(err, &u) || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want %q", err, why)
		}
	}
	unlocked("not COMPLIANCE 2d", s.CheckLocks(ctx, Retention{Days: 2}))
	unlocked("not for 2d", s.CheckLock(ctx, "heads/1", Retention{Days: 2}))
	unlocked("0 versions", s.CheckLock(ctx, "heads/4", Retention{Days: 1}))

	// Nobody can delete a locked version.
	key := "heads/1"
	versions, err := c.S3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &e.LogBucket, Prefix: &key})
	must(t, err)
	if _, err := c.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &e.LogBucket, Key: &key, VersionId: versions.Versions[0].VersionId}); err == nil {
		t.Error("a locked version was deleted")
	}
	// A second version, as by a Put without a condition, and a delete marker: the
	// bucket's policy forbids both; here nothing does, and the read-back sees them.
	key = "heads/2"
	_, err = c.S3.PutObject(ctx, s.put(e.LogBucket, key, []byte("other")))
	must(t, err)
	unlocked("2 versions", s.CheckLock(ctx, key, Retention{Days: 1}))
	key = "heads/3"
	_, err = c.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &e.LogBucket, Key: &key})
	must(t, err)
	unlocked("delete marker", s.CheckLock(ctx, key, Retention{Days: 1}))
	if _, err := s.Get(ctx, key); err == nil || errors.Is(err, notary.ErrNotFound) {
		t.Errorf("a hidden object: %v", err)
	}
	unlocked("versioning", NewStore(c, Env{LogBucket: e.SiteBucket}).CheckLocks(ctx, Retention{Days: 1}))
}
