package web

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"trialnotary/notary"
)

// submit answers POST /submissions.
func (h *handler) submit(w http.ResponseWriter, r *http.Request) answer {
	if h.Closed != nil && h.Closed() {
		a := problem(http.StatusServiceUnavailable,
			"The service has stopped sealing until its operator has acted, and accepts nothing meanwhile. Nothing that was answered with 202 is lost: keep the signed statement and send it again later.")
		a.retry, a.grade = 60, slog.LevelWarn
		return a
	}
	notes, bad := h.readSubmission(w, r)
	if bad != nil {
		return *bad
	}
	l := laneOf(notes[0])
	if err := h.gate.enter(r.Context(), l, len(notes)); err != nil {
		return h.turnedAway(err)
	}
	refs, err := func() ([]notary.Ref, error) {
		defer h.gate.leave(l, len(notes))
		return h.Service.Submit(r.Context(), notes)
	}()
	if err != nil {
		return h.notAccepted(err, len(notes))
	}
	h.metrics.accepted.Add(uint64(len(refs)))
	body := appendRefs(make([]byte, 0, 40+len(refs)*330), refs)
	return answer{status: http.StatusAccepted, kind: jsonType, body: body, location: string(appendReceiptPath(nil, refs[0])), retry: h.retryAfter()}
}

// appendRefs appends the JSON of a 202. Every value in it is hex.
func appendRefs(b []byte, refs []notary.Ref) []byte {
	b = append(b, `{"statements":[`...)
	for i, ref := range refs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"stream":"`...)
		b = hex.AppendEncode(b, ref.Stream[:])
		b = append(b, `","statement":"`...)
		b = hex.AppendEncode(b, ref.Statement[:])
		b = append(b, `","receipt":"`...)
		b = append(appendReceiptPath(b, ref), `"}`...)
	}
	return append(b, "]}\n"...)
}

func appendReceiptPath(b []byte, ref notary.Ref) []byte {
	b = hex.AppendEncode(append(b, "/receipts/"...), ref.Stream[:])
	return hex.AppendEncode(append(b, '/'), ref.Statement[:])
}

// turnedAway is the answer of the gate.
func (h *handler) turnedAway(err error) answer {
	switch {
	case errors.Is(err, errKeyFull):
		a := problem(http.StatusTooManyRequests,
			"Too many statements of this key are waiting here at the same time. These were not accepted and nothing was lost: send the same again a little later, fewer at once.")
		a.retry, a.grade = 1, slog.LevelWarn
		return a
	case errors.Is(err, errFull):
		a := problem(http.StatusServiceUnavailable,
			"The service is busy. These statements were not accepted and nothing was lost: send the same again a little later.")
		a.retry, a.grade = 2, slog.LevelWarn
		return a
	}
	a := unavailable(nil) // the client went away while waiting; nobody reads this
	a.grade = slog.LevelWarn
	return a
}

// notAccepted is the answer to an error of Submit.
func (h *handler) notAccepted(err error, of int) answer {
	if errors.Is(err, context.Canceled) {
		a := unavailable(nil)
		a.grade = slog.LevelWarn
		return a
	}
	no, ok := as[*notary.Rejection](err)
	if !ok {
		return unavailable(err)
	}
	h.metrics.reject(no.Kind)
	what, index := "The statement", (*int)(nil)
	if of > 1 {
		what, index = fmt.Sprintf("Nothing of this submission was accepted: statement %d of %d", no.Index+1, of), &no.Index
	}
	switch no.Kind {
	case notary.Forbidden:
		return problemAt(http.StatusForbidden, what+" is not allowed: "+no.Reason+
			". Nothing was stored and nothing was lost; what was accepted before stays. When the reason is gone, the same can be sent again.", index)
	case notary.Conflict:
		return problemAt(http.StatusConflict, what+" contradicts what is sealed: "+no.Reason+
			". Nothing was stored and nothing was lost; what was accepted before stays. Look at the trial's state and make a new statement if one is still needed.", index)
	}
	return problemAt(http.StatusBadRequest, what+" is malformed or not for this log: "+no.Reason+
		". Nothing was stored and nothing was lost; send the file byte for byte as it was signed, or sign it anew.", index)
}
