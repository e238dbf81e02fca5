package timestamp_test

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
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	dts "github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"

	"trialnotary/notary/timestamp"
)

// office is a certificate authority with an intermediate, and a time-stamping
// authority of it, over HTTP with OCSP and CRL.
type office struct {
	t      *testing.T
	server *httptest.Server
	root   issuer
	middle issuer
	tsa    issuer
	now    time.Time

	revoked *time.Time // of the TSA's certificate
	reason  int        // of that; -1: none given
	noOCSP  bool
	noCRL   bool
	list    []byte                       // a CRL of someone else
	answer  func(response []byte) []byte // what is sent instead
}

type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (i issuer) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})
}

func newOffice(t *testing.T, change func(*x509.Certificate)) *office {
	t.Helper()
	o := &office{t: t, now: time.Now().UTC().Truncate(time.Second), reason: -1}
	o.server = httptest.NewServer(o)
	t.Cleanup(o.server.Close)
	ca := func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageDigitalSignature|x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}
	o.root = o.issue("Root", nil, ca)
	o.middle = o.issue("Middle", &o.root, ca)
	eku, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	o.tsa = o.issue("Time Office", &o.middle, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: eku}}
		c.OCSPServer = []string{o.server.URL + "/ocsp"}
		c.CRLDistributionPoints = []string{o.server.URL + "/crl"}
		if change != nil {
			change(c)
		}
	})
	return o
}

func (o *office) issue(name string, by *issuer, change func(*x509.Certificate)) issuer {
	o.t.Helper()
	var key crypto.Signer
	var err error
	if by == nil {
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		o.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"Example"}},
		NotBefore: o.now.AddDate(-1, 0, 0), NotAfter: o.now.AddDate(1, 0, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature}
	change(c)
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		o.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		o.t.Fatal(err)
	}
	return issuer{cert, key}
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		o.t.Error(err)
	}
	switch {
	case r.URL.Path == "/ocsp" && !o.noOCSP:
		w.Write(o.ocsp())
	case r.URL.Path == "/crl" && o.list != nil:
		w.Write(o.list)
	case r.URL.Path == "/crl" && !o.noCRL:
		w.Write(o.crl())
	case r.URL.Path == "/tsa":
		q, err := dts.ParseRequest(body)
		if err != nil {
			o.t.Error(err)
			return
		}
		b := o.respondBy(q.HashAlgorithm, q.HashedMessage, q.Nonce)
		if o.answer != nil {
			b = o.answer(b)
		}
		w.Write(b)
	default:
		http.NotFound(w, r)
	}
}

func (o *office) respond(hash []byte, nonce *big.Int) []byte {
	o.t.Helper()
	return o.respondBy(crypto.SHA256, hash, nonce)
}

func (o *office) respondBy(by crypto.Hash, hash []byte, nonce *big.Int) []byte {
	o.t.Helper()
	ts := &dts.Timestamp{HashAlgorithm: by, HashedMessage: hash, Time: o.now, Policy: asn1.ObjectIdentifier{1, 2, 3},
		Nonce: nonce, AddTSACertificate: true, Certificates: []*x509.Certificate{o.middle.cert}}
	b, err := ts.CreateResponseWithOpts(o.tsa.cert, o.tsa.key, crypto.SHA256)
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

func (o *office) ocsp() []byte {
	r := ocsp.Response{Status: ocsp.Good, SerialNumber: o.tsa.cert.SerialNumber, ThisUpdate: o.now, NextUpdate: o.now.Add(time.Hour)}
	if o.revoked != nil {
		r.Status, r.RevokedAt = ocsp.Revoked, *o.revoked
		r.RevocationReason = max(0, o.reason)
	}
	b, err := ocsp.CreateResponse(o.middle.cert, o.middle.cert, r, o.middle.key)
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

func (o *office) crl() []byte {
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: o.now, NextUpdate: o.now.Add(time.Hour)}
	if o.revoked != nil {
		e := x509.RevocationListEntry{SerialNumber: o.tsa.cert.SerialNumber, RevocationTime: *o.revoked}
		e.ReasonCode = max(0, o.reason) // 0: none is given
		l.RevokedCertificateEntries = []x509.RevocationListEntry{e}
	}
	b, err := x509.CreateRevocationList(rand.Reader, l, o.middle.cert, o.middle.key)
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

func (o *office) trusted() *timestamp.Authorities {
	o.t.Helper()
	a, err := timestamp.ParseAuthorities(o.root.pem())
	if err != nil {
		o.t.Fatal(err)
	}
	return a
}

func (o *office) authority() *timestamp.Authority {
	o.t.Helper()
	a, err := timestamp.NewAuthority(timestamp.Listed{Name: "office", URL: o.server.URL + "/tsa"}, o.trusted(), nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return a
}

var document = sha256.Sum256([]byte("a final checkpoint"))

func (o *office) stamp() []byte {
	o.t.Helper()
	b, err := o.authority().Stamp(o.t.Context(), document[:])
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}
