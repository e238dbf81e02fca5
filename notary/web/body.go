package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"trialnotary/notary"
)

// readSubmission reads the notes of a submission, or finds the answer that says
// why there are none. A note is the body itself (text/plain) or one string of
// {"statements":[…]}.
func (h *handler) readSubmission(w http.ResponseWriter, r *http.Request) ([][]byte, *answer) {
	isJSON, ok := mediaType(r.Header)
	if !ok {
		return nil, refuse(http.StatusUnsupportedMediaType,
			"A submission is text/plain, one signed statement as it is, or application/json with {\"statements\":[…]}, in UTF-8 and not compressed. Nothing was stored.")
	}
	limit := MaxBody
	if !isJSON {
		limit = MaxStatement
	}
	body, bad := h.readBody(w, r, limit)
	if bad != nil {
		return nil, bad
	}
	if len(body) == 0 {
		return nil, refuse(http.StatusBadRequest, "The submission is empty. Nothing was stored; send the signed statement as the body.")
	}
	if !isJSON {
		return [][]byte{body}, nil
	}
	notes, err := parseJSON(body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "The JSON is not a submission: "+err.Error()+
			`. Nothing was stored; send {"statements":["…"]} with each signed statement as one string.`)
	}
	for i, n := range notes {
		if len(n) > MaxStatement {
			a := problemAt(http.StatusRequestEntityTooLarge, fmt.Sprintf(
				"Statement %d of %d has %d bytes; at most %d are allowed. Nothing of this submission was stored.", i+1, len(notes), len(n), MaxStatement), &i)
			return nil, &a
		}
	}
	return notes, nil
}

func refuse(status int, detail string) *answer {
	a := problem(status, detail)
	return &a
}

// mediaType reports whether a body is JSON or else plain text, and whether it is
// one of the two.
func mediaType(head http.Header) (isJSON, ok bool) {
	if e := head.Get("Content-Encoding"); e != "" && e != "identity" {
		return false, false
	}
	value := head.Get("Content-Type")
	switch value { // as clients write it: no need to parse
	case "text/plain", plain:
		return false, true
	case jsonType:
		return true, true
	}
	kind, params, err := mime.ParseMediaType(value)
	if err != nil || len(head.Values("Content-Type")) != 1 || kind != "text/plain" && kind != jsonType {
		return false, false
	}
	for k, v := range params {
		if k == "charset" && !strings.EqualFold(v, "utf-8") && !strings.EqualFold(v, "us-ascii") {
			return false, false
		}
	}
	return kind == jsonType, true
}

// readBody reads a body of at most limit bytes. Large ones are read a bounded
// number at a time and in bounded time.
func (h *handler) readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, *answer) {
	tooLarge := func() *answer {
		a := problem(http.StatusRequestEntityTooLarge, fmt.Sprintf(
			"The submission is too large: a statement has at most %d bytes, a JSON body of several at most %d. Nothing was stored; send fewer at a time.", MaxStatement, MaxBody))
		a.close = true // what follows is not worth reading
		return &a
	}
	n := r.ContentLength
	if n > int64(limit) {
		return nil, tooLarge()
	}
	if n < 0 || n > smallBody {
		patience := http.NewResponseController(w)
		reader := &bulkReader{time.Now(), func() { patience.SetReadDeadline(time.Now()) }}
		if !h.bulk.enter(reader) {
			a := problem(http.StatusServiceUnavailable, "Too many large submissions arrive at the same time. Nothing was lost: send the same again a little later.")
			a.retry, a.close, a.grade = 2, true, slog.LevelWarn
			return nil, &a
		}
		if patience.SetReadDeadline(reader.since.Add(bulkPatience)) == nil {
			defer patience.SetReadDeadline(time.Time{})
		}
		defer h.bulk.leave(reader)
	}
	var body []byte
	var err error
	if n >= 0 {
		body = make([]byte, n)
		_, err = io.ReadFull(r.Body, body)
	} else if body, err = io.ReadAll(io.LimitReader(r.Body, int64(limit)+1)); err == nil && len(body) > limit {
		return nil, tooLarge()
	}
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, os.ErrDeadlineExceeded) {
			status = http.StatusRequestTimeout
		}
		a := problem(status, "The submission did not arrive whole. Nothing was stored; send the same again.")
		a.close = true
		return nil, &a
	}
	return body, nil
}

// parseJSON parses {"statements":["…", …]} and nothing else: one member, that
// name, only strings, nothing after it.
func parseJSON(body []byte) ([][]byte, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	expect := func(want json.Token, what string) error {
		t, err := d.Token()
		if err != nil || t != want {
			return errors.New(what)
		}
		return nil
	}
	if err := expect(json.Delim('{'), "it is not an object"); err != nil {
		return nil, err
	}
	if err := expect("statements", `its one member is "statements"`); err != nil {
		return nil, err
	}
	if err := expect(json.Delim('['), `"statements" is not an array`); err != nil {
		return nil, err
	}
	var notes [][]byte
	for d.More() {
		t, err := d.Token()
		s, ok := t.(string)
		if err != nil || !ok {
			return nil, fmt.Errorf("statement %d is not a string", len(notes)+1)
		}
		if len(notes) == notary.MaxSubmission {
			return nil, fmt.Errorf("it has more than %d statements", notary.MaxSubmission)
		}
		notes = append(notes, []byte(s))
	}
	if err := expect(json.Delim(']'), `"statements" does not end`); err != nil {
		return nil, err
	}
	if err := expect(json.Delim('}'), `something follows "statements"`); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	if len(notes) == 0 {
		return nil, errors.New("it has no statement")
	}
	return notes, nil
}
