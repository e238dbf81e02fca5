// Package content computes digests of what a file says, whatever its bytes: two
// exports of the same data differ in the time of export alone, and their content
// digests are equal. A manifest carries them (formats, section Manifest):
//
//	content xpt5/v1 0c1b…77 dm.xpt
//
// A profile says exactly what is left out or brought into one form. All else counts
// byte for byte, and no number is ever rounded or rewritten:
//
//   - xpt5/v1, SAS transport files of version 5: the time stamps of the file and of
//     every member are blanked (see xpt5.go);
//   - dataset-json/v1, CDISC Dataset-JSON 1.1, as JSON or NDJSON: without
//     datasetJSONCreationDateTime, in one canonical spelling (dataset_json.go);
//   - csv/v1, comma-separated values by RFC 4180: in one spelling of quotes, line ends
//     and byte order mark (csv.go).
//
// A file that a profile does not read strictly has no content digest of it: that is
// no error, there is only less to say should its bytes differ one day. Equal digests
// prove that two files say the same; different digests prove nothing about why.
//
// Every digest is computed in one pass, in chunks of any size, in memory that has a
// bound whatever the file holds.
package content

import (
	"crypto/sha256"
	"hash"
	"path"
	"strings"
)

// The profiles.
const (
	XPT5        = "xpt5/v1"
	DatasetJSON = "dataset-json/v1"
	CSV         = "csv/v1"
)

// Profile returns the profile under which a file of that name may have a content
// digest, "" if there is none: its bytes decide whether it has.
func Profile(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".xpt":
		return XPT5
	case ".json", ".ndjson":
		return DatasetJSON
	case ".csv":
		return CSV
	}
	return ""
}

// Digest takes in a file from its beginning. Write never fails and keeps nothing of
// p. Sum, called once after the last byte, returns the content digest, or false if
// the profile does not read the file.
type Digest interface {
	Write(p []byte) (int, error)
	Sum() ([32]byte, bool)
}

// New returns a Digest of that profile, nil if it is none of those above: a later
// version may know more.
func New(profile string) Digest {
	switch profile {
	case XPT5:
		return &xpt5{sum: newCanonical()}
	case DatasetJSON:
		return newDatasetJSON()
	case CSV:
		d := &csvDigest{sum: newCanonical()}
		d.text.to = d
		return d
	}
	return nil
}

// canonical gathers canonical bytes, which come in small pieces, for their SHA-256.
type canonical struct {
	hash hash.Hash
	buf  []byte
}

func newCanonical() canonical {
	return canonical{hash: sha256.New(), buf: make([]byte, 0, 4096)}
}

func (c *canonical) write(p []byte) {
	if len(c.buf)+len(p) > cap(c.buf) {
		c.flush()
		if len(p) >= cap(c.buf) {
			c.hash.Write(p)
			return
		}
	}
	c.buf = append(c.buf, p...)
}

func (c *canonical) writeByte(b byte) {
	if len(c.buf) == cap(c.buf) {
		c.flush()
	}
	c.buf = append(c.buf, b)
}

func (c *canonical) flush() {
	c.hash.Write(c.buf)
	c.buf = c.buf[:0]
}

// sum returns the digest and begins anew.
func (c *canonical) sum() [32]byte {
	c.flush()
	s := [32]byte(c.hash.Sum(nil))
	c.hash.Reset()
	return s
}
