package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"trialnotary/notary/text"
)

// Unreachable: the service could not be reached, or what answered there is none.
type Unreachable struct {
	URL    string
	Err    error
	Do     string // what may help, in sentences; "" where there is nothing to say
	Silent bool   // nothing answered that could be a service, as often as it was tried
}

func (e *Unreachable) Error() string {
	return fmt.Sprintf("the service %s could not be reached: %s", e.URL, text.Visible(e.Err.Error()))
}

func (e *Unreachable) Unwrap() error { return e.Err }

// ErrProxy is wrapped when a proxy, and not the service, would not let a request
// through.
var ErrProxy = errors.New("the proxy refused")

// ErrWebPage is wrapped when a page for people came where a notary would have
// answered: a network's sign-in page, or a filter's.
var ErrWebPage = errors.New("a web page answered")

// sentence is an error with words of its own.
type sentence struct {
	says string
	err  error
}

func (s *sentence) Error() string { return s.says }
func (s *sentence) Unwrap() error { return s.err }

func say(err error, format string, a ...any) error { return &sentence{fmt.Sprintf(format, a...), err} }

// unreachable says in words why no answer came, and what may help.
func (s *Service) unreachable(err error) *Unreachable {
	e := &Unreachable{URL: s.base, Err: err, Silent: true}
	if u, ok := errors.AsType[*url.Error](err); ok {
		e.Err = u.Err // without the method and address that net/http puts before
	}
	var dns *net.DNSError
	var op *net.OpError
	var not *tls.RecordHeaderError
	var timeout net.Error
	cert := certificate(err)
	switch {
	case errors.Is(err, ErrProxy), errors.Is(err, ErrWebPage):
		e.Do = adviceOf(err)
	case cert != nil:
		e.Err, e.Do = s.mistrust(cert)
	case errors.As(err, &not), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		e.Err = say(err, "it does not speak TLS there")
		e.Do = "If this is a service without TLS, as on one's own machine, its address begins with http:// instead of https://."
	case errors.As(err, &op) && op.Op == "proxyconnect":
		e.Err = say(err, "the proxy that HTTPS_PROXY or HTTP_PROXY names does not answer (%s)", reasonOf(op.Err))
		e.Do = "Correct that variable; or, where no proxy is needed, put the service's host into NO_PROXY."
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Err = say(err, "there is no host named %s", text.Visible(dns.Name))
		e.Do = "Check the address. Where it is right: is this machine connected, and is a VPN or a proxy (HTTPS_PROXY) needed?"
	case errors.As(err, &dns):
		e.Err = say(err, "the name %s could not be looked up: the name server does not answer", text.Visible(dns.Name))
		e.Do = "Is this machine connected, and is a VPN needed?"
	case errors.Is(err, errRefused):
		e.Err = say(err, "the machine is there, and nothing listens at that port: the connection was refused")
		e.Do = "Check the address and its port; or ask the operator whether the service is running."
	case errors.Is(err, errNoRoute), errors.Is(err, errNoHost):
		e.Err = say(err, "there is no way to it from this machine's network")
		e.Do = "Is this machine connected, and is a VPN needed?"
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Err = say(err, "it did not answer in time")
		e.Do = "The network is slow, or a firewall drops what is sent to it."
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, errReset):
		e.Err = say(err, "the connection broke before its answer was complete")
	}
	return e
}

// advised is an error that brings its advice along.
type advised struct {
	error
	do string
}

func (a *advised) Unwrap() error { return a.error }

func adviceOf(err error) string {
	if a, ok := errors.AsType[*advised](err); ok {
		return a.do
	}
	return ""
}

// lasting reports whether trying again now would end the same.
func lasting(err error) bool {
	var not *tls.RecordHeaderError
	return certificate(err) != nil || errors.As(err, &not) || errors.Is(err, ErrProxy) || errors.Is(err, ErrWebPage) ||
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// certificate returns what was wrong with the certificates presented, nil if
// nothing was.
func certificate(err error) *tls.CertificateVerificationError {
	c, _ := errors.AsType[*tls.CertificateVerificationError](err)
	return c
}

// mistrust says who signed a certificate that does not verify: where a hospital's
// proxy reads what is sent, it is not who it should be.
func (s *Service) mistrust(c *tls.CertificateVerificationError) (error, string) {
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	now := s.Now()
	switch {
	case errors.As(c.Err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		from, until := invalid.Cert.NotBefore.UTC(), invalid.Cert.NotAfter.UTC()
		if now.Before(from) {
			return say(c, "its certificate is valid from %s on, and this computer's clock says %s: the clock is at least %s behind, or the certificate is new",
				minute(from), minute(now), Span(from.Sub(now))), "Set the clock of this computer, then try again."
		}
		return say(c, "its certificate was valid until %s, and this computer's clock says %s", minute(until), minute(now)),
			fmt.Sprintf("If the clock of this computer is %s ahead, set it; if it is right, tell the operator that the certificate has ended.", Span(now.Sub(until)))
	case errors.As(c.Err, &host):
		return say(c, "the certificate it shows is of another name: %s; it was signed by %s", text.Visible(strings.Join(namesOf(host.Certificate), ", ")), signer(c)),
			"Check the address. In a network with a sign-in page, sign in first, in a browser." + offlineAdvice
	}
	return say(c, "this machine does not trust its certificate, which was signed by %s", signer(c)),
		"If that is your organisation's own, which looks into encrypted traffic, ask its IT either to let the service through untouched,\nor for its certificate as a file, to name in SSL_CERT_FILE (on Windows and macOS: to add to the system's certificates)." + offlineAdvice
}

const offlineAdvice = "\nWithout a connection: trialnotary seal … --offline, and submit from another machine."

// signer names who signed what was presented, up to the last that was shown.
func signer(c *tls.CertificateVerificationError) string {
	if len(c.UnverifiedCertificates) == 0 {
		return "nobody it names"
	}
	first, last := c.UnverifiedCertificates[0], c.UnverifiedCertificates[len(c.UnverifiedCertificates)-1]
	if len(c.UnverifiedCertificates) == 1 && first.Issuer.String() == first.Subject.String() {
		return text.Visible("itself (" + named(first.Subject.CommonName, first.Subject.Organization) + ")")
	}
	by := named(first.Issuer.CommonName, first.Issuer.Organization)
	if root := named(last.Issuer.CommonName, last.Issuer.Organization); root != by {
		by += ", under " + root
	}
	return text.Visible(by)
}

func named(common string, organisation []string) string {
	parts := append([]string{}, organisation...)
	if common != "" && (len(parts) == 0 || parts[0] != common) {
		parts = append([]string{common}, parts...)
	}
	if len(parts) == 0 {
		return "someone without a name"
	}
	return "“" + strings.Join(parts, ", ") + "”"
}

func namesOf(c *x509.Certificate) []string {
	all := c.DNSNames
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return []string{"none at all"}
	}
	return all[:min(len(all), 3)]
}

// refusingProxy is asked with each answer of a proxy to CONNECT.
func refusingProxy(proxy *url.URL, status int) error {
	if status == http.StatusOK {
		return nil
	}
	at := text.Visible(proxy.Host)
	if status == http.StatusProxyAuthRequired {
		return &advised{say(ErrProxy, "the proxy %s wants a user name and a password (407)", at),
			"Put them into the variable that names it: HTTPS_PROXY=http://USER:PASSWORD@" + at + ", with %40 for an @ in the password."}
	}
	return &advised{say(ErrProxy, "the proxy %s will not connect to it (%d %s)", at, status, http.StatusText(status)),
		"Ask who runs the proxy to let the service through; or, where none is needed, put the service's host into NO_PROXY."}
}

// page returns an error if an answer is a page for people, which no route of a
// notary that is asked here gives.
func page(a answer) error {
	switch {
	case a.status == http.StatusProxyAuthRequired:
		return &advised{say(ErrProxy, "the proxy wants a user name and a password (407)"),
			"Put them into the variable that names it: HTTP_PROXY=http://USER:PASSWORD@HOST:PORT, with %40 for an @ in the password."}
	case a.status == http.StatusNetworkAuthenticationRequired, a.status/100 == 2 && a.isPage():
		return &advised{say(ErrWebPage, "a web page%s answered in its place", title(a.body)),
			"That is often a network's sign-in page, or a filter: open the address in a browser, sign in, and try again. If the page is the service's own website, ask for the address of the service itself."}
	case a.status == http.StatusForbidden && a.isPage():
		return &advised{say(ErrWebPage, "a web page%s answered in its place: 403 Forbidden", title(a.body)),
			"That is often a filter of the network: ask who runs it to let the service through."}
	}
	return nil
}

// title quotes the title of a page, at most 80 characters of it.
func title(page []byte) string {
	low := strings.ToLower(string(page))
	_, rest, ok := strings.Cut(low, "<title")
	at := strings.IndexByte(rest, '>')
	if !ok || at < 0 || len(low) != len(page) {
		return ""
	}
	start := len(low) - len(rest) + at + 1
	end := strings.Index(low[start:], "</")
	if end < 0 {
		return ""
	}
	t := []rune(strings.Join(strings.Fields(string(page[start:start+end])), " "))
	if len(t) == 0 {
		return ""
	}
	return " (“" + text.Visible(string(t[:min(len(t), 80)])) + "”)"
}

func reasonOf(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "there is no host named " + text.Visible(dns.Name)
	case errors.Is(err, errRefused):
		return "the connection was refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return text.Visible(err.Error())
}

func minute(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }
