package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"trialnotary/notary/text"
)

// Bounds of one delivery.
const (
	webhookAttempts = 4
	webhookPatience = 10 * time.Second // for one attempt
	maxWebhook      = 20 << 10         // bytes sent, as Standard Webhooks asks
	maxAnswer       = 4 << 10          // bytes of an answer that are read
)

// Webhook delivers signed messages to one address, as standardwebhooks.com says:
// HMAC-SHA256 over id, time and body in the header webhook-signature, so that the
// libraries of that project check them. A message may come more than once, with the
// same id.
type Webhook struct {
	// Pause is before the second attempt, and twice as long before each further one.
	Pause time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time

	url  string
	sign *standardwebhooks.Webhook
	http *http.Client
}

// NewWebhook returns the webhook of an https address (http on this machine alone) and
// of a secret whsec_ and 24 to 64 bytes in base64.
func NewWebhook(address, secret string) (*Webhook, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || text.IndexForbidden(address, false) >= 0:
		return nil, fmt.Errorf("%q is not an address to send messages to, as in https://example.org/hook", text.Visible(address))
	case u.Scheme == "http" && loopback(u.Hostname()):
	case u.Scheme != "https":
		return nil, fmt.Errorf("%q: messages are sent to https addresses alone, or to this machine", text.Visible(address))
	}
	raw, ok := strings.CutPrefix(secret, "whsec_")
	key, err := text.ParseBase64(raw)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("the secret is not whsec_ and 24 to 64 bytes in base64") // it is not repeated
	}
	sign, err := standardwebhooks.NewWebhookRaw(key)
	if err != nil {
		return nil, err
	}
	return &Webhook{Pause: time.Second, Now: time.Now, url: u.String(), sign: sign, http: &http.Client{
		Timeout: webhookPatience, Transport: transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send delivers a message of at most 20 KiB of JSON; nil once it was answered with
// 2xx. It is tried a few times, no longer than a minute in all, where that may help.
// The error names neither the path of the address nor the message.
func (w *Webhook) Send(ctx context.Context, id string, body []byte) error {
	if len(body) > maxWebhook {
		return fmt.Errorf("a message of %d bytes, at most %d are sent", len(body), maxWebhook)
	}
	pause := w.Pause
	for n := 1; ; n++ {
		again, err := w.once(ctx, id, body)
		if err == nil {
			return nil
		}
		if !again || n == webhookAttempts || !sleep(ctx, pause) {
			return err
		}
		pause *= 2
	}
}

func (w *Webhook) once(ctx context.Context, id string, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the address of the webhook is none")
	}
	now := w.Now()
	signature, err := w.sign.Sign(id, now, body)
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "trialnotary")
	r.Header.Set(standardwebhooks.HeaderWebhookID, id)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	answer, err := w.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address may hold a secret of its receiver
		}
		return ctx.Err() == nil, fmt.Errorf("webhook at %s: %w", r.URL.Host, err)
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, maxAnswer)
	switch code := answer.StatusCode; {
	case code/100 == 2:
		return false, nil
	case code/100 == 3:
		return false, fmt.Errorf("webhook at %s: it sends on elsewhere (%d), and messages are sent nowhere but where they were asked for", r.URL.Host, code)
	default:
		return code == http.StatusRequestTimeout || busy(code) || code/100 == 5, fmt.Errorf("webhook at %s: it answered %d %s", r.URL.Host, code, http.StatusText(code))
	}
}
