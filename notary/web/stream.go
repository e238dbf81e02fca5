package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"trialnotary/notary"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// Bounds of the reads that need a key: worked on at once, of one key at most half of
// them; waiting for that; and waiting of one key.
const (
	readsInside  = 16
	readsWaiting = 512
	readsPerKey  = 64
)

// stream answers a read that needs a key: it finds the request note and lets serve
// answer it. option is the one query that the address takes, a number from 1.
func (h *handler) stream(r *http.Request, what, option string, serve func(context.Context, *request.Read, statement.StreamID, uint64) answer) answer {
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/streams/"), "/")
	stream, err := statement.ParseStreamID(id)
	if err != nil || rest != what {
		return problem(http.StatusNotFound, "A stream's address is /streams/, the stream id of 64 lowercase hex digits, and /"+what+".")
	}
	n, err := query(r.URL.RawQuery, option)
	if err != nil {
		return problem(http.StatusBadRequest, "This address takes no query but "+option+"=, with a number from 1 on without leading zeros. Correct it and sign the request anew.")
	}
	values := r.Header.Values(request.Header)
	if len(values) == 0 {
		a := problem(http.StatusUnauthorized, "What stands in a stream is for the keys of its trial. Sign a request note for this address and send it in the header "+request.Header+"; trialnotary does it with --key.")
		a.ask = request.Header
		return a
	}
	ask, err := request.ParseField(values[0])
	if err != nil || len(values) > 1 {
		return problem(http.StatusBadRequest, "The header "+request.Header+" does not hold one request note in base64"+because(err)+". Nothing was read: sign the request anew.")
	}
	if ask.Path != r.URL.RequestURI() {
		return problem(http.StatusBadRequest, "The request note is for another address than the one it was sent to. Nothing was read: sign a note for this address.")
	}
	l := lane{ask.KeyName, [4]byte{byte(ask.KeyHash >> 24), byte(ask.KeyHash >> 16), byte(ask.KeyHash >> 8), byte(ask.KeyHash)}}
	if err := h.reads.enter(r.Context(), l, 1); err != nil {
		return h.readsTurnedAway(err)
	}
	defer h.reads.leave(l, 1)
	return serve(r.Context(), ask, stream, n)
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// query parses the one query an address takes; absent it is 0.
func query(raw, option string) (uint64, error) {
	if raw == "" {
		return 0, nil
	}
	v, ok := strings.CutPrefix(raw, option+"=")
	n, err := text.ParseUint(v)
	if !ok || err != nil || n == 0 {
		return 0, errors.New("not a number from 1 on")
	}
	return n, nil
}

func (h *handler) entries(ctx context.Context, ask *request.Read, stream statement.StreamID, from uint64) answer {
	p, err := h.Service.Entries(ctx, ask, stream, max(from, 1))
	return readPage(p, err, "/streams/"+stream.String()+"/entries")
}

func (h *handler) statements(ctx context.Context, ask *request.Read, stream statement.StreamID, from uint64) answer {
	p, err := h.Service.Statements(ctx, ask, stream, max(from, 1))
	return readPage(p, err, "/streams/"+stream.String()+"/statements")
}

func (h *handler) access(ctx context.Context, ask *request.Read, stream statement.StreamID, from uint64) answer {
	p, err := h.Service.Access(ctx, ask, stream, max(from, 1))
	return readPage(p, err, "/streams/"+stream.String()+"/access")
}

func readPage(p notary.Page, err error, path string) answer {
	if err != nil {
		return notRead(err)
	}
	a := answer{status: http.StatusOK, kind: plain, body: p.Body}
	if p.Next > 0 {
		a.link = fmt.Sprintf("<%s?from=%d>; rel=\"next\"", path, p.Next)
	}
	return a
}

func (h *handler) history(ctx context.Context, ask *request.Read, stream statement.StreamID, batch uint64) answer {
	b, err := h.Service.StreamAt(ctx, ask, stream, batch)
	if errors.Is(err, notary.ErrNotFound) {
		return problem(http.StatusNotFound, "There is no such batch under a final checkpoint, or not yet. Ask without at= for the newest there is.")
	} else if err != nil {
		return notRead(err)
	}
	return answer{status: http.StatusOK, kind: plain, body: b}
}

// notRead is the answer to an error of a read.
func notRead(err error) answer {
	if no, ok := as[*notary.Rejection](err); ok {
		return problem(http.StatusBadRequest, "The request note is not for here: "+no.Reason+". Nothing was read.")
	}
	if late, ok := as[*notary.Untimely](err); ok {
		a := problem(http.StatusUnauthorized, "The request note is good for five minutes before and after its time, and here it is "+
			text.FormatTime(late.Now)+". Nothing was read: set the clock, if it is wrong, and sign the request anew.")
		a.ask = request.Header
		return a
	}
	if errors.Is(err, notary.ErrUnreadable) {
		return problem(http.StatusForbidden, "There is no stream of this id that the key of this request may read now. Nothing was read: look at the id and the key, and ask the sponsor whether the key is enrolled and in force.")
	}
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return unread(err)
}

// unread is the answer when the service could not read, or not write down that it did.
func unread(err error) answer {
	a := problem(http.StatusServiceUnavailable, "The service could not read this now. Nothing was changed: wait a little and ask again.")
	a.retry, a.fault = 2, err
	if err == nil {
		a.grade = slog.LevelWarn
	}
	return a
}

// readsTurnedAway is the answer of the gate.
func (h *handler) readsTurnedAway(err error) answer {
	switch {
	case errors.Is(err, errKeyFull):
		a := problem(http.StatusTooManyRequests, "Too much is being read with this key at the same time. Nothing was read: ask again a little later, for less at once.")
		a.retry, a.grade = 1, slog.LevelWarn
		return a
	case errors.Is(err, errFull):
		a := problem(http.StatusServiceUnavailable, "The service is busy. Nothing was read: ask again a little later.")
		a.retry, a.grade = 2, slog.LevelWarn
		return a
	}
	return unread(nil) // the client went away while waiting; nobody reads this
}
