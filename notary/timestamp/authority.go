package timestamp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"

	"trialnotary/notary/text"
)

const (
	patience      = 30 * time.Second
	maxRevocation = 32 << 10 // a CRL or OCSP response that is kept in a token
	maxRedirects  = 3        // of an address in a certificate
	// maxSkew is how far an authority's clock may be from ours: a token that says
	// less is worth less than it seems, or one of the two is wrong.
	maxSkew = 10 * time.Minute
)

// Authority is a time-stamping authority that is asked for tokens. It is safe for
// concurrent use.
type Authority struct {
	name    string
	url     string
	trusted *Authorities
	http    *http.Client
}

// NewAuthority returns the authority of a list, whose tokens must verify under
// trusted. client may be nil. Nobody is asked yet.
func NewAuthority(l Listed, trusted *Authorities, client *http.Client) (*Authority, error) {
	u, err := url.Parse(l.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not the address of a time-stamping authority, as in https://tsa.example/", text.Visible(l.URL))
	}
	if client == nil {
		client = &http.Client{Timeout: patience}
	}
	c := *client
	c.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if via[0].Method != http.MethodGet || len(via) > maxRedirects {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &Authority{l.Name, l.URL, trusted, &c}, nil
}

// Name returns the name that the list has for the authority.
func (a *Authority) Name() string { return a.name }

// URL returns the address that the list has for it.
func (a *Authority) URL() string { return a.url }

// Stamp asks for a token over an imprint, adds what is known of revocation on this
// day, and returns it verified: under the trusted certificates, over the imprint,
// for this very request, and of about now.
func (a *Authority) Stamp(ctx context.Context, imprint Imprint) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("time-stamp of %s: %w", a.name, err) }
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return fail(err)
	}
	request, err := (&timestamp.Request{HashAlgorithm: imprint.hash(), HashedMessage: imprint, Certificates: true, Nonce: nonce}).Marshal()
	if err != nil {
		return fail(err)
	}
	answer, err := a.fetch(ctx, a.url, "application/timestamp-query", request, MaxToken)
	if err != nil {
		return fail(err)
	}
	token, given, err := open(answer)
	if err != nil {
		return fail(err)
	}
	if given == nil || given.Cmp(nonce) != 0 {
		return fail(fmt.Errorf("%w: it answers another request", ErrImprint))
	}
	s, err := Verify(token, imprint, a.trusted, time.Time{})
	if err != nil {
		return fail(err)
	}
	if off := time.Since(s.Time); off.Abs() > maxSkew {
		return fail(fmt.Errorf("%w by %s: it says that it is %s", ErrClock, off.Abs().Round(time.Second), text.FormatTime(s.Time)))
	}
	if token, err = a.complete(ctx, token); err != nil {
		return fail(err)
	}
	if _, err := Verify(token, imprint, a.trusted, time.Time{}); err != nil {
		return fail(err)
	}
	return token, nil
}

// open returns the token and the nonce of a response.
func open(answer []byte) (token []byte, nonce *big.Int, err error) {
	defer func() {
		if p := recover(); p != nil {
			token, err = nil, fmt.Errorf("%w: the response cannot be parsed", ErrFormat)
		}
	}()
	reading.Lock()
	defer reading.Unlock()
	t, err := timestamp.ParseResponse(answer)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	return t.RawToken, t.Nonce, nil
}

// complete adds the certificates up to the trusted one, and for each of them an
// OCSP response or else a CRL, as their addresses say. What cannot be had, or is
// too large, is left out: the token counts without it, and the verdict says so.
func (a *Authority) complete(ctx context.Context, token []byte) ([]byte, error) {
	s, err := parseSigned(token)
	if err != nil {
		return nil, err
	}
	plain := *s
	plain.crls, plain.unsigned = nil, nil
	der, err := plain.bytes()
	if err != nil {
		return nil, err
	}
	p7, err := parse(der)
	if err != nil {
		return nil, err
	}
	chains, err := a.trusted.chains(p7.GetOnlySigner(), p7.Certificates, time.Time{})
	if err != nil {
		return token, nil
	}
	chain := chains[0]
	var lists, answers []asn1.RawValue
	for i, c := range chain {
		if !slices.ContainsFunc(s.certs, func(v asn1.RawValue) bool { return bytes.Equal(v.FullBytes, c.Raw) }) {
			s.certs = append(s.certs, asn1.RawValue{FullBytes: c.Raw})
		}
		if i == len(chain)-1 {
			break
		}
		if v, ok := a.ocsp(ctx, c, chain[i+1]); ok {
			answers = append(answers, v)
		} else if v, ok := a.crl(ctx, c, chain[i+1]); ok {
			lists = append(lists, v)
		}
	}
	if len(lists)+len(answers) > 0 {
		s.unsigned = append(s.unsigned, revocationValues(lists, answers))
	}
	whole, err := s.bytes()
	if err != nil || len(whole) > MaxToken {
		return token, err
	}
	return whole, nil
}

// ocsp returns a BasicOCSPResponse about c.
func (a *Authority) ocsp(ctx context.Context, c, issuer *x509.Certificate) (asn1.RawValue, bool) {
	request, err := ocsp.CreateRequest(c, issuer, nil)
	if err != nil {
		return asn1.RawValue{}, false
	}
	for _, address := range c.OCSPServer {
		der, err := a.fetch(ctx, address, "application/ocsp-request", request, maxRevocation)
		if err != nil {
			continue
		}
		if _, err := ocsp.ParseResponseForCert(der, c, issuer); err != nil {
			continue
		}
		if v, ok := basic(der); ok {
			return v, true
		}
	}
	return asn1.RawValue{}, false
}

// crl returns the CRL of c's issuer.
func (a *Authority) crl(ctx context.Context, c, issuer *x509.Certificate) (asn1.RawValue, bool) {
	for _, address := range c.CRLDistributionPoints {
		der, err := a.fetch(ctx, address, "", nil, maxRevocation)
		if err != nil {
			continue
		}
		if l, err := x509.ParseRevocationList(der); err == nil && l.CheckSignatureFrom(issuer) == nil {
			return asn1.RawValue{FullBytes: der}, true
		}
	}
	return asn1.RawValue{}, false
}

// fetch posts body, or gets where there is none, and returns the answer.
func (a *Authority) fetch(ctx context.Context, address, kind string, body []byte, max int64) ([]byte, error) {
	method := http.MethodPost
	if body == nil {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("User-Agent", "trialnotary")
	resp, err := a.http.Do(req)
	if u, ok := errors.AsType[*url.Error](err); ok {
		return nil, fmt.Errorf("it cannot be reached: %w", u.Err)
	} else if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, max+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer broke off: %w", err)
	case int64(len(b)) > max:
		return nil, fmt.Errorf("the answer has more than %d bytes", max)
	case resp.StatusCode/100 != 2:
		return nil, fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	return b, nil
}
