package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera/fsck"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/storetest"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// TestStory is the service on AWS as its users meet it: the CLI, the function URLs,
// the rule that seals, and then what S3 and DynamoDB hold.
func TestStory(t *testing.T) {
	d := up(t)
	demo, err := filepath.Abs("../cmd/trialnotary/testdata/demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(d.file("export"), os.DirFS(filepath.Join(demo, "site-701"))); err != nil {
		t.Fatal(err)
	}

	// A sponsor, whom up admitted, opens a trial and enrols a site. Nothing but the
	// rule seals: a receipt shows that it fired.
	key := d.run("sponsor.key")
	d.cli(t, 0, "keygen", "--name", "recovery", "--out", "recovery.key", "--no-passphrase")
	d.cli(t, 0, "keygen", "--name", "site-701.rossi", "--out", "rossi.key", "--no-passphrase")
	hint := d.cli(t, 2, "trust", "local.trust")
	fingerprint := regexp.MustCompile(`([0-9A-F]{4}-){7,}[0-9A-F]{4}`).FindString(hint)
	d.cli(t, 0, "trust", "local.trust", "--fingerprint", fingerprint)
	id := trial()
	d.cli(t, 0, "register", id, "--recovery", "recovery.key.pub", "--key", key, "--out", "T.trial")
	d.cli(t, 0, "enrol", "T.trial", "site-701", "rossi.key.pub", "--person", "Maria Rossi", "--key", key, "--out", "rossi.invite")

	// The site seals CDISC data; an ethics board verifies with files alone.
	d.cli(t, 0, "seal", "export", "--invite", "rossi.invite", "--key", "rossi.key", "--label", "Week 24", "--meaning", "authorship", "--out", "week24")
	verdict := d.cliOffline(t, 0, "verify", "week24.receipt", "export")
	for _, want := range []string{"VERIFIED", "2 of 2 files match", "Maria Rossi", "accepted by you"} {
		if !strings.Contains(verdict, want) {
			t.Errorf("the verdict lacks %q", want)
		}
	}
	altered := d.file("export/ae.json")
	b, err := os.ReadFile(altered)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	d.write(t, "export/ae.json", b)
	if out := d.cliOffline(t, 1, "verify", "week24.receipt", "export"); !strings.Contains(out, "NOT VERIFIED") {
		t.Error("a changed byte went through")
	}

	// The sponsor reads by signed requests what a board checks with files alone: that
	// nothing was left out, and a receipt for every entry, made from the public log.
	d.cli(t, 0, "history", "T.trial", "--key", key, "--out", "T.history")
	if out := d.cliOffline(t, 0, "verify", "T.history"); !strings.Contains(out, "all that stream site-701 of "+id) {
		t.Errorf("the history says nothing of the site:\n%s", out)
	}
	if out := d.cli(t, 0, "status", "T.trial", "--key", key); !strings.Contains(out, "Maria Rossi") {
		t.Errorf("the status lacks the site's person:\n%s", out)
	}
	d.cli(t, 0, "fetch", "T.trial", "--key", key, "--out", "tmf")
	if out := d.cliOffline(t, 0, "verify", "tmf"); !strings.Contains(out, "site-701") {
		t.Errorf("the receipts fetched lack the site's:\n%s", out)
	}
	if _, code := d.try(t, "http://"+d.front(), "history", "T.trial", "--key", "rossi.key", "--out", "not-hers.history"); code == 0 {
		t.Error("a site's key read the whole trial")
	}

	t.Run("killed sealers lose nothing", d.sealersDie)
	t.Run("the log verifies from S3", d.logVerifies)
	t.Run("another implementation agrees", d.tesseraAgrees)
	t.Run("the signed root is in DynamoDB and in S3", d.rootIsInBoth)
	t.Run("every version is locked in COMPLIANCE mode", d.everyVersionIsLocked)
	t.Run("what is locked stays", d.lockedStays)
	t.Run("the auditor finds nothing wrong", d.auditorIsContent)
}

// auditorIsContent starts the function that a rule starts every hour, as once a week.
func (d *deployed) auditorIsContent(t *testing.T) { d.audit(t, `{"full":true}`) }

func (d *deployed) audit(t *testing.T, event string) {
	t.Helper()
	out, err := d.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(d.function(t, "Audit")), Payload: []byte(event)})
	if err != nil || out.FunctionError != nil {
		t.Fatalf("%v %s %s", err, aws.ToString(out.FunctionError), out.Payload)
	}
}

// object reads a public object where AWS keeps it, past all code of ours.
func (d *deployed) object(ctx context.Context, name string) ([]byte, error) {
	bucket := d.LogBucket
	if name == "checkpoint" {
		bucket = d.SiteBucket
	}
	out, err := d.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &name})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, notary.ErrNotFound
	} else if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// newest is the checkpoint as anyone fetches it, verified.
func (d *deployed) newest(t *testing.T) checkpoint.Signed {
	t.Helper()
	b, err := d.object(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.trust.Policy.Verify(c, func(string, time.Time) bool { return true }); err != nil {
		t.Fatal(err)
	}
	return c
}

func (d *deployed) logVerifies(t *testing.T) {
	log, err := storetest.VerifyLog(func(name string) ([]byte, error) { return d.object(t.Context(), name) }, d.trust.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if log.Batches < 3 || len(log.Entries) < 3 {
		t.Errorf("%d batches with %d entries; register, enrol and seal were one each, one after another", log.Batches, len(log.Entries))
	}
	t.Logf("%d batches, %d leaves, %d statements", log.Batches, log.Size, len(log.Entries))
}

// tesseraAgrees runs Tessera's fsck over the log, straight from the buckets.
func (d *deployed) tesseraAgrees(t *testing.T) {
	v, err := formats.NewVerifier(d.trust.Policy.LogKeys()[0])
	if err != nil {
		t.Fatal(err)
	}
	bundle := func(b []byte) ([][]byte, error) {
		leaves, err := tile.ParseBundle(b)
		hashes := make([][]byte, len(leaves))
		for i, l := range leaves {
			h := sha256.Sum256(append([]byte{0}, l...))
			hashes[i] = h[:]
		}
		return hashes, err
	}
	// On a corrupt log it may hang instead of failing.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- fsck.New(d.trust.Policy.Origin(), v, buckets{d}, bundle, fsck.Opts{N: 1}).Check(ctx) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// buckets is a log as Tessera fetches one.
type buckets struct{ *deployed }

var _ fsck.Fetcher = buckets{}

func (b buckets) ReadCheckpoint(ctx context.Context) ([]byte, error) {
	return b.read(ctx, "checkpoint")
}

func (b buckets) ReadTile(ctx context.Context, level, index uint64, p uint8) ([]byte, error) {
	return b.read(ctx, tile.HashPath(int(level), index, width(p)))
}

func (b buckets) ReadEntryBundle(ctx context.Context, index uint64, p uint8) ([]byte, error) {
	return b.read(ctx, tile.BundlePath(index, width(p)))
}

func (b buckets) read(ctx context.Context, name string) ([]byte, error) {
	data, err := b.object(ctx, name)
	if errors.Is(err, notary.ErrNotFound) {
		err = os.ErrNotExist
	}
	return data, err
}

// width is a tile's width; Tessera writes 0 for a full one.
func width(p uint8) int {
	if p == 0 {
		return 256
	}
	return int(p)
}

func (d *deployed) rootIsInBoth(t *testing.T) {
	c := d.newest(t)
	head, err := d.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("\nsize %d\nroot %s\n", c.Size, text.Base64(c.Root[:]))
	if !strings.Contains(string(head), want) {
		t.Errorf("the head cell in DynamoDB\n%s\nhas not%s", head, want)
	}
	final, err := d.object(t.Context(), checkpoint.FinalName(c.Size))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := checkpoint.Parse(final); err != nil || s.Checkpoint != c.Checkpoint {
		t.Errorf("%s is of %+v, %v; the newest checkpoint is of %+v", checkpoint.FinalName(c.Size), s.Checkpoint, err, c.Checkpoint)
	}
	if b := d.get(t, "/checkpoint"); !bytes.Contains(b, []byte(text.Base64(c.Root[:]))) {
		t.Errorf("the service shows another checkpoint:\n%s", b)
	}
}

func (d *deployed) everyVersionIsLocked(t *testing.T) {
	lock, err := d.S3.GetObjectLockConfiguration(t.Context(), &s3.GetObjectLockConfigurationInput{Bucket: &d.LogBucket})
	if err != nil {
		t.Fatal(err)
	}
	rule := lock.ObjectLockConfiguration.Rule.DefaultRetention
	if rule.Mode != types.ObjectLockRetentionModeCompliance || aws.ToInt32(rule.Days) != 1 {
		t.Errorf("the bucket's default is %s for %d days; stage local locks for a day", rule.Mode, aws.ToInt32(rule.Days))
	}
	seen := map[string]int{}
	pages := s3.NewListObjectVersionsPaginator(d.S3, &s3.ListObjectVersionsInput{Bucket: &d.LogBucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.DeleteMarkers {
			t.Errorf("%s has a delete marker", *m.Key)
		}
		for _, v := range page.Versions {
			seen[*v.Key]++
			out, err := d.S3.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: &d.LogBucket, Key: v.Key, VersionId: v.VersionId})
			if err != nil {
				t.Errorf("%s: %v", *v.Key, err)
				continue
			}
			r, day := out.Retention, 24*time.Hour
			if until := r.RetainUntilDate.Sub(*v.LastModified); r.Mode != types.ObjectLockRetentionModeCompliance || until < day-time.Minute || until > day+time.Minute {
				t.Errorf("%s is locked in mode %s for %s after it was written", *v.Key, r.Mode, until)
			}
		}
	}
	for name, versions := range seen {
		if versions != 1 {
			t.Errorf("%s has %d versions", name, versions)
		}
	}
	t.Logf("%d objects, each of one version, locked", len(seen))
}

func (d *deployed) lockedStays(t *testing.T) {
	size := d.newest(t).Size
	last := (size - 1) / tile.Width // the tile of the newest leaf, and how many it has
	width := int(size - last*tile.Width)
	for _, name := range []string{checkpoint.HeadName(1), checkpoint.SignedName(1), checkpoint.FinalName(size),
		tile.HashPath(0, last, width), tile.BundlePath(last, width)} {
		ctx := t.Context()
		before, err := d.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &d.LogBucket, Key: &name})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, err = d.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &d.LogBucket, Key: &name, VersionId: before.VersionId})
		refused(t, "delete the version of "+name, err, "AccessDenied")
		_, err = d.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &d.LogBucket, Key: &name, VersionId: before.VersionId, BypassGovernanceRetention: aws.Bool(true)})
		refused(t, "delete, bypassing governance, "+name, err, "AccessDenied")
		_, err = d.S3.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{Bucket: &d.LogBucket, Key: &name, VersionId: before.VersionId,
			Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeCompliance, RetainUntilDate: aws.Time(time.Now().Add(time.Minute))}})
		refused(t, "shorten the lock of "+name, err, "AccessDenied")
		_, err = d.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: &d.LogBucket, Key: &name, Body: strings.NewReader("forged"), IfNoneMatch: aws.String("*")})
		refused(t, "write again "+name, err, "PreconditionFailed")
		after, err := d.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &d.LogBucket, Key: &name})
		if err != nil || aws.ToString(after.VersionId) != aws.ToString(before.VersionId) {
			t.Errorf("%s changed: version %s, then %s, %v", name, aws.ToString(before.VersionId), aws.ToString(after.VersionId), err)
		}
	}
}

// refused wants an answer of S3 with this code.
func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("%s: %v; want %s", what, err, code)
	}
}
