package timestamp

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// Authorities are the certificates that a visitor trusts to vouch for time.
type Authorities struct {
	roots *x509.CertPool
	certs []*x509.Certificate
}

// ParseAuthorities parses tsa.pem: CERTIFICATE blocks alone, each trusted. nil
// gives no authority at all.
func ParseAuthorities(b []byte) (*Authorities, error) {
	a := &Authorities{roots: x509.NewCertPool()}
	for n := 1; len(bytes.TrimSpace(b)) > 0; n++ {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil || block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("block %d is no PEM certificate", n)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the certificate of block %d cannot be read", n)
		}
		a.roots.AddCert(c)
		a.certs = append(a.certs, c)
	}
	return a, nil
}

// maxIntermediates bounds the work that a token's certificates can cause.
const maxIntermediates = 8

// chain returns the signer's chain up to a trusted certificate as of at, of which
// no certificate was revoked, see revocation; and whether anything spoke of the
// signer's.
func (a *Authorities) chain(signer *x509.Certificate, certs []*x509.Certificate, s *signed, at, shown time.Time) ([]*x509.Certificate, bool, error) {
	chains, err := a.chains(signer, certs, at)
	if err != nil {
		return nil, false, err
	}
	for _, c := range chains {
		var known bool
		if known, err = revocation(c, s, at, shown); err == nil {
			return c, known, nil
		}
	}
	return nil, false, err
}

// chains returns every chain up to a trusted certificate that is in force at that
// time, zero for now.
func (a *Authorities) chains(signer *x509.Certificate, certs []*x509.Certificate, at time.Time) ([][]*x509.Certificate, error) {
	if len(a.certs) == 0 {
		return nil, fmt.Errorf("%w: it names none", ErrAuthority)
	}
	if len(certs) > maxIntermediates {
		return nil, fmt.Errorf("%w: %d certificates, at most %d are allowed", ErrFormat, len(certs), maxIntermediates)
	}
	between := x509.NewCertPool()
	for _, c := range certs {
		between.AddCert(c)
	}
	chains, err := signer.Verify(x509.VerifyOptions{Roots: a.roots, Intermediates: between, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrAuthority, err)
	}
	return chains, nil
}
