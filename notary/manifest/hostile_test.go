package manifest

import (
	"strings"
	"testing"

	"trialnotary/notary/text"
)

// What a file from outside says is quoted in errors, but never without end: an
// opening may have 64 MiB, a manifest more.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	digests := strings.Repeat("0", 64) + " " + strings.Repeat("0", 128)
	secret := "secret " + text.Base64(make([]byte, 32)) + "\n"
	leaf := "size 1\nsha256 " + strings.Repeat("0", 64) + "\nsha512 " + strings.Repeat("0", 128) + "\nsalt " + text.Base64(make([]byte, 32)) + "\n"
	manifest := func(b string) error { _, err := Parse([]byte(Version + "\n" + secret + b)); return err }
	opening := func(b string) error { _, err := ParseOpening([]byte(OpeningVersion + "\n" + b)); return err }
	for name, err := range map[string]error{
		"path":            manifest("files 1\n" + digests + " 1 " + long + "\n"),
		"digest":          manifest("files 1\n" + long + " " + digests[65:] + " 1 a\n"),
		"size":            manifest("files 1\n" + digests + " " + long + " a\n"),
		"profile":         manifest("files 1\n" + digests + " 1 a\ncontent " + long + " " + digests[:64] + " a\n"),
		"content path":    manifest("files 1\n" + digests + " 1 a\ncontent p " + digests[:64] + " " + long + "\n"),
		"order":           manifest("files 2\n" + digests + " 1 " + long[:MaxPath] + "\n" + digests + " 1 a\n"),
		"unknown line":    manifest("files 1\n" + digests + " 1 a\n" + long + "\n"),
		"part":            opening("-- " + long + " --\n"),
		"opened path":     opening("-- file-1 --\n" + LeafVersion + "\npath " + long + "\n" + leaf),
		"opened profile":  opening("-- file-1 --\n" + LeafVersion + "\npath a\nsize 1\nsha256 " + digests[:64] + "\nsha512 " + digests[65:] + "\ncontent " + long + " " + digests[:64] + "\n"),
		"path to be made": CheckPath(long),
	} {
		if err == nil || len(err.Error()) > 600 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}
