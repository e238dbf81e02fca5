package receipt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	dts "github.com/digitorus/timestamp"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/timestamp"
)

// authority is a time-stamping authority with a certificate of its own making.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t *testing.T, name string, from time.Time) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	eku, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: time.Now().AddDate(30, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: eku}}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &authority{t, c, key}
}

func (a *authority) stamp(data []byte, at time.Time) []byte {
	a.t.Helper()
	hash := sha256.Sum256(data)
	ts := &dts.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: hash[:], Time: at, Policy: asn1.ObjectIdentifier{1, 2}, AddTSACertificate: true}
	b, err := ts.CreateResponseWithOpts(a.cert, a.key, crypto.SHA256)
	if err != nil {
		a.t.Fatal(err)
	}
	var r struct{ Status, Token asn1.RawValue }
	if _, err := asn1.Unmarshal(b, &r); err != nil {
		a.t.Fatal(err)
	}
	return r.Token.FullBytes
}

// TestTimestampsCount: the earliest time-stamp over the receipt's own checkpoint by
// an authority of the trust file is the time that is proved, before the witnesses'.
func TestTimestampsCount(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	p, err := checkpoint.ParseProof(r.Proof)
	if err != nil {
		t.Fatal(err)
	}
	from := w.now.AddDate(-1, 0, 0)
	if now := time.Now().AddDate(-1, 0, 0); now.Before(from) {
		from = now // the library signs with the machine's clock besides
	}
	known, stranger := newAuthority(t, "Time Office", from), newAuthority(t, "Stranger", from)
	at := w.now.Add(time.Minute).UTC().Truncate(time.Second)
	r.Timestamps = [][]byte{
		known.stamp(p.Checkpoint, at.Add(time.Hour)),
		known.stamp(p.Checkpoint, at),
		known.stamp([]byte("something else"), at.Add(-time.Hour)),
		stranger.stamp(p.Checkpoint, at.Add(-time.Hour)),
	}
	raw, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if r, err = Parse(raw); err != nil {
		t.Fatal(err)
	}
	o := w.options(w.trust("-- tsa.pem --\n" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: known.cert.Raw}))))
	v := verified(t, r, o)
	if s := v.Stamp(); s == nil || !s.Time.Equal(at) || s.Authority != "Time Office" || !v.NoLaterThan().Equal(at) {
		t.Errorf("%+v", v.Stamps)
	}
	for i, want := range []error{nil, nil, timestamp.ErrImprint, timestamp.ErrAuthority} {
		if err := v.Stamps[i].Err; (want == nil) != (err == nil) || want != nil && !errors.Is(err, want) {
			t.Errorf("token %d: %v, want %v", i+1, err, want)
		}
	}
	// Another visitor, who trusts neither, has the witnesses' time.
	v = verified(t, r, w.options(w.trust()))
	if v.Stamp() != nil || !v.NoLaterThan().Equal(v.Met.NoLaterThan) {
		t.Errorf("%+v", v.Stamps)
	}
}
