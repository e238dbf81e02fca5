// Package witness asks a witness for its cosignature on a checkpoint: the log's
// half of C2SP tlog-witness.
//
// A witness remembers the last checkpoint it cosigned of each log. It signs a new
// one only with a proof that the log has not rewritten anything since:
//
//	POST <submission prefix>/add-checkpoint
//
//	old 70321
//	PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//	…
//
//	log.example/trials
//	70449
//	CsUYapGPPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//
//	— log.example/trials asSrFfuBXPj9LeSK…
//
// and answers with its signature lines, or with 409 and the size that it holds.
//
// Everything that a witness answers is hostile input: it is bounded, parsed
// strictly, and a cosignature is returned only after it verified under the key of
// the policy. A redirect is not followed.
package witness

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// Bounds of an answer and of a proof (tlog-witness, "add-checkpoint").
const (
	maxAnswer = checkpoint.MaxSize
	maxProof  = 63
	patience  = 30 * time.Second // for one request, whatever the caller's context says
	attempts  = 3                // a witness that moves meanwhile is asked again

	lastSecond = 253402300799 // of the year 9999, after which no format writes a time
)

var (
	// ErrDisagrees: the witness knows another tree of the log, another key, or no
	// such log. Asking again will not help; an operator must look.
	ErrDisagrees = errors.New("the witness disagrees")
	// ErrAnswer: the witness answered with what the protocol does not allow.
	ErrAnswer = errors.New("the witness's answer is not valid")
)

// Witness is one witness. It is safe for concurrent use.
type Witness struct {
	name     string
	url      string
	verifier note.Verifier
	http     *http.Client
	old      atomic.Uint64 // the size it is believed to hold: a guess that saves a request
}

// New returns the witness of a policy, which must have a URL; client may be nil.
// Nobody is asked yet.
func New(w checkpoint.Witness, client *http.Client) (*Witness, error) {
	v, _, err := checkpoint.VerifierFor(w.Key)
	if err != nil {
		return nil, fmt.Errorf("witness %s: %w", w.Name, err)
	}
	u, err := url.Parse(w.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("witness %s: %q is not the address of a witness, as in https://witness.example/", w.Name, text.Visible(w.URL))
	}
	if client == nil {
		client = &http.Client{Timeout: patience}
	}
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Witness{name: w.Name, url: strings.TrimRight(w.URL, "/") + "/add-checkpoint", verifier: v, http: &c}, nil
}

// Name returns the name that the policy has for the witness.
func (w *Witness) Name() string { return w.name }

// Cosign returns the witness's cosignature on the checkpoint, verified. prove
// returns the consistency proof from an older size of the log, 0 < old ≤ size.
//
// Errors that wrap ErrDisagrees or ErrAnswer last; others may pass by themselves.
func (w *Witness) Cosign(ctx context.Context, c checkpoint.Signed, prove func(old uint64) ([]tile.Hash, error)) (checkpoint.Line, error) {
	old := w.old.Load()
	for range attempts {
		if old > c.Size {
			return checkpoint.Line{}, fmt.Errorf("witness %s: it holds size %d, which is beyond %d", w.name, old, c.Size)
		}
		var proof []tile.Hash
		if old > 0 {
			var err error
			if proof, err = prove(old); err != nil {
				return checkpoint.Line{}, fmt.Errorf("witness %s: %w", w.name, err)
			}
		}
		line, holds, err := w.ask(ctx, c, old, proof)
		if err != nil {
			return checkpoint.Line{}, fmt.Errorf("witness %s: %w", w.name, err)
		}
		if line != nil {
			w.old.Store(c.Size)
			return *line, nil
		}
		if holds == old {
			return checkpoint.Line{}, fmt.Errorf("witness %s: it refuses the size %d that it says it holds: %w", w.name, old, ErrAnswer)
		}
		old = holds
	}
	return checkpoint.Line{}, fmt.Errorf("witness %s: its size changed with every request", w.name)
}

// ask makes one request. Without an error and without a line, holds is the size
// that the witness says it holds.
func (w *Witness) ask(ctx context.Context, c checkpoint.Signed, old uint64, proof []tile.Hash) (line *checkpoint.Line, holds uint64, err error) {
	if len(proof) > maxProof {
		return nil, 0, fmt.Errorf("a proof of %d hashes cannot be sent", len(proof))
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	for _, h := range proof {
		body.WriteString(text.Base64(h[:]) + "\n")
	}
	body.WriteByte('\n')
	body.Write(c.Raw)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, &body)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	req.Header.Set("User-Agent", "trialnotary")
	resp, err := w.http.Do(req)
	if err != nil {
		return nil, 0, fmt.Errorf("it cannot be reached: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("its answer broke off: %w", err)
	case len(answer) > maxAnswer:
		return nil, 0, fmt.Errorf("it answered with more than %d bytes: %w", maxAnswer, ErrAnswer)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		l, err := w.accept(c, answer)
		return l, 0, err
	case http.StatusConflict:
		n, err := text.ParseUint(strings.TrimSuffix(string(answer), "\n"))
		if err != nil {
			return nil, 0, fmt.Errorf("it answered 409 without the size it holds: %w", ErrAnswer)
		}
		return nil, n, nil
	case http.StatusNotFound:
		return nil, 0, fmt.Errorf("it does not know the log %s (404): ask its operator to add the log's key: %w", c.Origin, ErrDisagrees)
	case http.StatusForbidden:
		return nil, 0, fmt.Errorf("it does not accept the log's key (403): %w", ErrDisagrees)
	case http.StatusUnprocessableEntity:
		return nil, 0, fmt.Errorf("it holds another tree of this log at size %d (422): %w", old, ErrDisagrees)
	case http.StatusBadRequest:
		return nil, 0, fmt.Errorf("it does not understand the request (400): %w", ErrAnswer)
	}
	return nil, 0, fmt.Errorf("it answered with status %d", resp.StatusCode)
}

// accept returns the line of this witness's key, verified; other lines are ignored.
func (w *Witness) accept(c checkpoint.Signed, answer []byte) (*checkpoint.Line, error) {
	lines, err := checkpoint.ParseLines(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	for _, l := range lines {
		if l.Name != w.verifier.Name() || l.Hash != w.verifier.KeyHash() {
			continue
		}
		if !w.verifier.Verify(c.Text(), l.Sig) {
			return nil, fmt.Errorf("its cosignature does not verify: %w", ErrAnswer)
		}
		if at := binary.BigEndian.Uint64(l.Sig); at == 0 || at > lastSecond {
			return nil, fmt.Errorf("its cosignature has no time that counts: %w", ErrAnswer)
		}
		return &l, nil
	}
	return nil, fmt.Errorf("it did not sign with the key of the policy: %w", ErrAnswer)
}
