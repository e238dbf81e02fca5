package receipt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dts "github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/timestamp"
)

var update = flag.Bool("update", false, "make the authorities of testdata/renewed anew, and all that they stamped")

const renewedDir = "testdata/renewed/"

// renewedVector is a receipt of testdata/renewed under renewed.trust at a time: why
// each of its tokens does not count ("": it does), and whose time is proved ("":
// the witnesses').
type renewedVector struct {
	Receipt  string   `json:"receipt"`
	Now      string   `json:"now"`
	What     string   `json:"what"`
	Stamps   []string `json:"stamps"`
	Renewals []string `json:"renewals"`
	Vouched  string   `json:"vouched"`
	RenewBy  string   `json:"renew_by"` // "": there is nothing to renew
}

// problemOf is the word that the vectors have for an error.
func problemOf(err error) string {
	for problem, is := range map[string]error{"otherImprint": timestamp.ErrImprint, "ended": ErrEnded, "revoked": timestamp.ErrRevoked,
		"signature": timestamp.ErrAuthority, "form": timestamp.ErrFormat, "tooMany": ErrTooManyStamps} {
		if errors.Is(err, is) {
			return problem
		}
	}
	if err == nil {
		return ""
	}
	return "error: " + err.Error()
}

func problems(all []Stamped) []string {
	words := []string{}
	for _, s := range all {
		words = append(words, problemOf(s.Err))
	}
	return words
}

// TestRenewals: what counts of the time-stamps and renewals of each vector, which the
// verification page reads too.
func TestRenewals(t *testing.T) {
	if *update {
		writeRenewed(t)
	}
	var all []renewedVector
	b, err := os.ReadFile(renewedDir + "renewed.json")
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil || len(all) < 10 {
		t.Fatal(len(all), err)
	}
	b, err = os.ReadFile(renewedDir + "renewed.trust")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := ParseTrust(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		b, err := os.ReadFile(renewedDir + want.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", want.Receipt, err)
		}
		if back, err := r.Bytes(); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%s: other bytes come back: %v", want.Receipt, err)
		}
		now, err := time.Parse(time.RFC3339, want.Now)
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.Verify(Options{Trust: trust, Confirmed: true, Now: now})
		if err != nil {
			t.Errorf("%s: %v", want.Receipt, err)
			continue
		}
		if s := problems(v.Stamps); !slices.Equal(s, want.Stamps) {
			t.Errorf("%s, %s, at %s: the time-stamps %q, want %q", want.Receipt, want.What, want.Now, s, want.Stamps)
		}
		if s := problems(v.Renewals); !slices.Equal(s, want.Renewals) {
			t.Errorf("%s, %s, at %s: the renewals %q, want %q", want.Receipt, want.What, want.Now, s, want.Renewals)
		}
		vouched := ""
		if s := v.Vouched(); s != nil {
			vouched = s.Authority
		} else if !v.NoLaterThan().Equal(v.Met.NoLaterThan) || v.Met.NoLaterThan.IsZero() {
			t.Errorf("%s: no later than %s", want.Receipt, v.NoLaterThan())
		}
		if vouched != want.Vouched {
			t.Errorf("%s, %s, at %s: vouched for by %q, want %q", want.Receipt, want.What, want.Now, vouched, want.Vouched)
		}
		by := ""
		if at := v.RenewBy(trust); !at.IsZero() {
			by = at.Format(time.RFC3339)
		}
		if by != want.RenewBy {
			t.Errorf("%s, %s, at %s: to be renewed by %q, want %q", want.Receipt, want.What, want.Now, by, want.RenewBy)
		}
	}
}

// TestRenewalCoversAll: any other byte in what was renewed, and the renewal is of
// something else.
func TestRenewalCoversAll(t *testing.T) {
	b, err := os.ReadFile(renewedDir + "once.receipt")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Receipt){
		"statement":      func(r *Receipt) { r.Statement = append(bytes.Clone(r.Statement), '\n') },
		"entry":          func(r *Receipt) { r.Entry = append(bytes.Clone(r.Entry), '\n') },
		"proof":          func(r *Receipt) { r.Proof = append(bytes.Clone(r.Proof), '\n') },
		"timestamps":     func(r *Receipt) { r.Timestamps = nil },
		"the grants":     func(r *Receipt) { r.Grants = r.Grants[1:] },
		"a registration": func(r *Receipt) { r.Registration = nil },
	} {
		changed := *whole
		change(&changed)
		a, err := whole.renewalImprint(0)
		b, other := changed.renewalImprint(0)
		if err != nil || other != nil || bytes.Equal(a, b) {
			t.Errorf("%s: %v, %v", name, err, other)
		}
	}
	// Only renewals before it are covered, so that another can be added.
	more := *whole
	more.Renewals = append(slices.Clone(whole.Renewals), []byte{1})
	a, _ := whole.renewalImprint(0)
	if b, err := more.renewalImprint(0); err != nil || !bytes.Equal(a, b) {
		t.Errorf("a later renewal is covered: %v", err)
	}
	more.Renewals = slices.Repeat([][]byte{{1}}, MaxStamps)
	if _, err := more.RenewalImprint(); err == nil {
		t.Error("renewed more often than is looked at")
	}
}

// TestRenewedLogWithoutWitnesses: where nobody else proves a time, the algorithms of
// the log's own signatures count as of the renewal that covers them.
func TestRenewedLogWithoutWitnesses(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	h := newStampOffice(t)
	late, err := r.RenewalImprint()
	if err != nil {
		t.Fatal(err)
	}
	o := w.options(w.trust("-- tsa.pem --\n" + h.pem() + "-- algorithms --\nml-dsa-44 2036-01-01T00:00:00Z\n"))
	policy, err := checkpoint.NewLogPolicy(o.Trust.Policy.LogKeys()[0], o.Trust.Policy.LogKeys()[1])
	if err != nil {
		t.Fatal(err)
	}
	o.Trust.Policy = policy
	o.Now = time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	refused(t, r, o, StepCheckpoints)
	r.Renewals = [][]byte{h.new.stampBy(crypto.SHA512, late, date(2035))}
	if v := verified(t, r, o); v.Vouched() == nil || !v.NoLaterThan().Equal(date(2035)) {
		t.Errorf("%+v", v.Renewals)
	}
	r.Renewals = [][]byte{h.new.stampBy(crypto.SHA512, late, date(2037))}
	refused(t, r, o, StepCheckpoints)
}

// TestWithTimestamps: of what a service hands out, only tokens that count are added,
// once each and as many as are looked at; and never to another receipt, or to one
// whose renewals they are not under.
func TestWithTimestamps(t *testing.T) {
	h := newStampOffice(t)
	trusted, err := timestamp.ParseAuthorities([]byte(h.pem()))
	if err != nil {
		t.Fatal(err)
	}
	r := sampleReceipt(t, "site1")
	p, err := checkpoint.ParseProof(r.Proof)
	if err != nil {
		t.Fatal(err)
	}
	imprint := sha256.Sum256(p.Checkpoint)
	good := h.old.stampBy(crypto.SHA256, imprint[:], date(2027))
	other := sha256.Sum256([]byte("another"))
	e := Evidence{Entry: r.Entry, Proof: r.Proof, Timestamps: [][]byte{
		{1}, issued(t, "Stranger", elliptic.P256(), 2060, nil).stampBy(crypto.SHA256, imprint[:], date(2027)),
		h.old.stampBy(crypto.SHA256, other[:], date(2027)), good, good,
	}}
	with, n, err := r.WithTimestamps(e, trusted)
	if err != nil || n != 1 || len(with.Timestamps) != 1 || !bytes.Equal(with.Timestamps[0], good) || len(r.Timestamps) != 0 {
		t.Errorf("%d added, %v", n, err)
	}
	if _, n, err := with.WithTimestamps(e, trusted); err != nil || n != 0 {
		t.Errorf("%d added again, %v", n, err)
	}
	e.Timestamps = nil
	for year := range MaxStamps + 2 {
		e.Timestamps = append(e.Timestamps, h.new.stampBy(crypto.SHA256, imprint[:], date(2027+year)))
	}
	if _, n, err := r.WithTimestamps(e, trusted); err != nil || n != MaxStamps {
		t.Errorf("%d added, %v", n, err)
	}
	renewed := *r
	renewed.Renewals = [][]byte{{1}}
	if _, n, err := renewed.WithTimestamps(e, trusted); err != nil || n != 0 {
		t.Errorf("%d added below a renewal, %v", n, err)
	}
	for _, change := range []func(*Evidence){
		func(e *Evidence) { e.Proof = append(bytes.Clone(e.Proof), '\n') },
		func(e *Evidence) { e.Entry = append(bytes.Clone(e.Entry), '\n') },
	} {
		changed := e
		change(&changed)
		if _, _, err := r.WithTimestamps(changed, trusted); err == nil {
			t.Error("of another receipt")
		}
	}
}

func date(year int) time.Time { return time.Date(year, 6, 1, 12, 0, 0, 0, time.UTC) }

// stampOffice is a root with two authorities: an old one, with algorithms that end,
// and a new one.
type stampOffice struct {
	root     *authority
	old, new *authority
}

func newStampOffice(t *testing.T) *stampOffice {
	h := &stampOffice{}
	h.root = issued(t, "Root of Time", elliptic.P384(), 2090, nil)
	h.old = issued(t, "Old Office", elliptic.P256(), 2033, h.root)
	h.new = issued(t, "New Office", elliptic.P384(), 2060, h.root)
	return h
}

func (h *stampOffice) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.root.cert.Raw}))
}

// issued makes an authority with a certificate by another, or a root.
func issued(t *testing.T, name string, curve elliptic.Curve, until int, by *authority) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: date(2020), NotAfter: date(until), BasicConstraintsValid: true}
	a := &authority{t: t, key: key}
	parent, signer := c, crypto.Signer(key)
	if by == nil {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	} else {
		eku, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
		if err != nil {
			t.Fatal(err)
		}
		c.KeyUsage, c.ExtraExtensions = x509.KeyUsageDigitalSignature, []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: eku}}
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// stampBy stamps an imprint and signs over the same hash.
func (a *authority) stampBy(h crypto.Hash, imprint []byte, at time.Time) []byte {
	a.t.Helper()
	ts := &dts.Timestamp{HashAlgorithm: h, HashedMessage: imprint, Time: at, Policy: asn1.ObjectIdentifier{1, 2}, AddTSACertificate: true}
	b, err := ts.CreateResponseWithOpts(a.cert, a.key, h)
	if err != nil {
		a.t.Fatal(err)
	}
	var r struct{ Status, Token asn1.RawValue }
	if _, err := asn1.Unmarshal(b, &r); err != nil {
		a.t.Fatal(err)
	}
	return r.Token.FullBytes
}

// withRevocation returns a token with CRLs or BasicOCSPResponses in it (CAdES
// RevocationValues): an unsigned attribute of its signer.
func withRevocation(t *testing.T, token []byte, tag int, values ...[]byte) []byte {
	t.Helper()
	der := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	compound := func(class, tag int, inside ...[]byte) []byte {
		return der(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: bytes.Join(inside, nil)})
	}
	list := compound(asn1.ClassUniversal, asn1.TagSequence, compound(asn1.ClassContextSpecific, tag, compound(asn1.ClassUniversal, asn1.TagSequence, values...)))
	attribute := compound(asn1.ClassUniversal, asn1.TagSequence, der(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}), compound(asn1.ClassUniversal, asn1.TagSet, list))
	// change goes the way down, from the end where negative, and adds the attribute.
	var change func(b []byte, way []int) []byte
	change = func(b []byte, way []int) []byte {
		var v asn1.RawValue
		if _, err := asn1.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if len(way) == 0 {
			return compound(v.Class, v.Tag, v.Bytes, compound(asn1.ClassContextSpecific, 1, attribute))
		}
		var children [][]byte
		for rest := v.Bytes; len(rest) > 0; {
			var c asn1.RawValue
			var err error
			if rest, err = asn1.Unmarshal(rest, &c); err != nil {
				t.Fatal(err)
			}
			children = append(children, c.FullBytes)
		}
		n := (way[0] + len(children)) % len(children)
		children[n] = change(children[n], way[1:])
		return compound(v.Class, v.Tag, children...)
	}
	return change(token, []int{1, 0, -1, 0}) // content, SignedData, signers, the one
}

// revokes returns a CRL of the root about an authority, and an OCSP response.
func (h *stampOffice) revokes(a *authority, reason int, at time.Time) (crl, answer []byte) {
	a.t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: a.cert.SerialNumber, RevocationTime: at, ReasonCode: reason}}}
	crl, err := x509.CreateRevocationList(rand.Reader, l, h.root.cert, h.root.key)
	if err != nil {
		a.t.Fatal(err)
	}
	whole, err := ocsp.CreateResponse(h.root.cert, h.root.cert, ocsp.Response{Status: ocsp.Revoked, SerialNumber: a.cert.SerialNumber,
		ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7), RevokedAt: at, RevocationReason: reason}, h.root.key)
	if err != nil {
		a.t.Fatal(err)
	}
	var r struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type     asn1.ObjectIdentifier
			Response []byte
		} `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(whole, &r); err != nil {
		a.t.Fatal(err)
	}
	return crl, r.Bytes.Response
}

// writeRenewed writes testdata/renewed: the sample's site1.receipt, stamped in 2026
// with algorithms that renewed.trust accepts until 2035, and renewed, well and ill.
func writeRenewed(t *testing.T) {
	h := newStampOffice(t)
	stranger := issued(t, "Stranger", elliptic.P384(), 2060, issued(t, "Root of Others", elliptic.P384(), 2090, nil))
	trust := string(sampleFile(t, "acme.trust"))
	at := strings.Index(trust, "-- tsa.pem --\n")
	trust = trust[:at] + "-- tsa.pem --\n" + h.pem() + "-- algorithms --\necdsa-p256 2035-01-01T00:00:00Z\nsha-256 2035-01-01T00:00:00Z\nsha-512 2045-01-01T00:00:00Z\n"
	plain := sampleReceipt(t, "site1")
	p, err := checkpoint.ParseProof(plain.Proof)
	if err != nil {
		t.Fatal(err)
	}
	imprint := sha256.Sum256(p.Checkpoint)
	stamped := *plain
	stamped.Timestamps = [][]byte{h.old.stampBy(crypto.SHA256, imprint[:], date(2027))}
	renew := func(r Receipt, by *authority, year int) Receipt {
		i, err := r.RenewalImprint()
		if err != nil {
			t.Fatal(err)
		}
		r.Renewals = append(slices.Clone(r.Renewals), by.stampBy(crypto.SHA512, i, date(year)))
		return r
	}
	once := renew(stamped, h.new, 2034)
	twice := renew(once, h.new, 2044)
	swapped := twice
	swapped.Renewals = [][]byte{twice.Renewals[1], twice.Renewals[0]}
	second := twice
	second.Renewals = twice.Renewals[1:]
	other := stamped
	other.Renewals = renew(*plain, h.new, 2034).Renewals
	added := once
	added.Timestamps = append(slices.Clone(once.Timestamps), stamped.Timestamps[0])
	bySHA256 := stamped
	i, err := stamped.RenewalImprint()
	if err != nil {
		t.Fatal(err)
	}
	short := sha256.Sum256(i)
	bySHA256.Renewals = [][]byte{h.new.stampBy(crypto.SHA256, short[:], date(2034))}
	garbage := stamped
	garbage.Renewals = [][]byte{{0x30, 0x03, 0x02, 0x01, 0x01}}

	files := map[string]Receipt{"stamped": stamped, "once": once, "twice": twice, "late": renew(stamped, h.new, 2036), "swapped": swapped,
		"second": second, "other": other, "added": added, "stranger": renew(stamped, stranger, 2034), "unstamped": renew(*plain, h.new, 2034),
		"short": bySHA256, "garbage": garbage}
	// The old office's certificate is revoked in 2031, or was before it stamped.
	revoked := func(reason, year int, byOCSP bool) Receipt {
		crl, answer := h.revokes(h.old, reason, date(year))
		r := stamped
		r.Timestamps = [][]byte{withRevocation(t, stamped.Timestamps[0], 0, crl)}
		if byOCSP {
			r.Timestamps = [][]byte{withRevocation(t, stamped.Timestamps[0], 1, answer)}
		}
		return r
	}
	for name, byOCSP := range map[string]bool{"crl": false, "ocsp": true} {
		files["stolen-"+name] = revoked(ocsp.KeyCompromise, 2031, byOCSP)
		files["stolen-renewed-"+name] = renew(files["stolen-"+name], h.new, 2030)
		files["stolen-late-"+name] = renew(files["stolen-"+name], h.new, 2032)
		files["superseded-"+name] = revoked(ocsp.Superseded, 2031, byOCSP)
		files["superseded-before-"+name] = revoked(ocsp.Superseded, 2026, byOCSP)
		files["unreasoned-"+name] = revoked(0, 2031, byOCSP)
	}
	forged := revoked(ocsp.KeyCompromise, 2031, false)
	crl, _ := (&stampOffice{root: issued(t, "Root of Time", elliptic.P384(), 2090, nil)}).revokes(h.old, ocsp.KeyCompromise, date(2031))
	forged.Timestamps = [][]byte{withRevocation(t, stamped.Timestamps[0], 0, crl)}
	files["forged-crl"] = forged

	oldEnds, newEnds := "2033-06-01T12:00:00Z", "2045-01-01T00:00:00Z"
	vectors := []renewedVector{
		{"stamped", "2030-01-01T00:00:00Z", "a time-stamp", []string{""}, []string{}, "Old Office", oldEnds},
		{"stamped", "2034-01-01T00:00:00Z", "its certificate has ended since", []string{""}, []string{}, "Old Office", oldEnds},
		{"stamped", "2040-01-01T00:00:00Z", "its algorithms have ended", []string{"ended"}, []string{}, "", ""},
		{"once", "2040-01-01T00:00:00Z", "renewed before they ended", []string{""}, []string{""}, "Old Office", newEnds},
		{"once", "2046-01-01T00:00:00Z", "the renewal's have ended too", []string{"ended"}, []string{"ended"}, "", ""},
		{"twice", "2044-12-01T00:00:00Z", "renewed and renewed again", []string{""}, []string{"", ""}, "Old Office", newEnds},
		{"twice", "2046-01-01T00:00:00Z", "nothing counts without the last", []string{"ended"}, []string{"ended", "ended"}, "", ""},
		{"late", "2040-01-01T00:00:00Z", "renewed after they ended", []string{"ended"}, []string{""}, "", newEnds},
		{"swapped", "2040-01-01T00:00:00Z", "the renewals in the other order", []string{"ended"}, []string{"otherImprint", "otherImprint"}, "", ""},
		{"second", "2040-01-01T00:00:00Z", "the first renewal taken out", []string{"ended"}, []string{"otherImprint"}, "", ""},
		{"other", "2040-01-01T00:00:00Z", "a renewal of the receipt without its time-stamp", []string{"ended"}, []string{"otherImprint"}, "", ""},
		{"added", "2040-01-01T00:00:00Z", "a time-stamp added after the renewal", []string{"ended", "ended"}, []string{"otherImprint"}, "", ""},
		{"stranger", "2040-01-01T00:00:00Z", "renewed by an authority that is not trusted", []string{"ended"}, []string{"signature"}, "", ""},
		{"stranger", "2030-01-01T00:00:00Z", "which takes nothing away", []string{""}, []string{"signature"}, "Old Office", oldEnds},
		{"short", "2040-01-01T00:00:00Z", "an imprint by SHA-256", []string{"ended"}, []string{"otherImprint"}, "", ""},
		{"garbage", "2040-01-01T00:00:00Z", "no token", []string{"ended"}, []string{"form"}, "", ""},
		{"unstamped", "2040-01-01T00:00:00Z", "a renewal of what had no time-stamp", []string{}, []string{""}, "", newEnds},
	}
	for _, by := range []string{"crl", "ocsp"} {
		vectors = append(vectors,
			renewedVector{"stolen-" + by, "2034-01-01T00:00:00Z", "its key was stolen since", []string{"revoked"}, []string{}, "", ""},
			renewedVector{"stolen-renewed-" + by, "2034-01-01T00:00:00Z", "renewed before the key was stolen", []string{""}, []string{""}, "Old Office", newEnds},
			renewedVector{"stolen-late-" + by, "2034-01-01T00:00:00Z", "renewed after the key was stolen", []string{"revoked"}, []string{""}, "", newEnds},
			renewedVector{"superseded-" + by, "2032-01-01T00:00:00Z", "its certificate was replaced since", []string{""}, []string{}, "Old Office", oldEnds},
			renewedVector{"superseded-before-" + by, "2032-01-01T00:00:00Z", "its certificate was replaced before", []string{"revoked"}, []string{}, "", ""},
			renewedVector{"unreasoned-" + by, "2032-01-01T00:00:00Z", "revoked since, and nobody says why", []string{"revoked"}, []string{}, "", ""},
		)
	}
	vectors = append(vectors, renewedVector{"forged-crl", "2032-01-01T00:00:00Z", "a list of someone else says nothing", []string{""}, []string{}, "Old Office", oldEnds})
	for i := range vectors {
		vectors[i].Receipt += ".receipt"
	}
	list, err := json.MarshalIndent(vectors, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(renewedDir, 0o755), os.WriteFile(filepath.Join(renewedDir, name), b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("renewed.trust", []byte(trust))
	write("renewed.json", append(list, '\n'))
	for name, r := range files {
		b, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		write(name+".receipt", b)
	}
}
