package web

import (
	"errors"
	"net/http"
	"strings"

	"trialnotary/notary"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
)

// object answers for what is in the public log for ever.
func (h *handler) object(r *http.Request) answer {
	name := r.URL.Path[1:]
	kind, ok := publicName(name)
	if !ok {
		return notHere()
	}
	b, err := h.objects(r.Context(), name)
	if errors.Is(err, notary.ErrNotFound) {
		return problem(http.StatusNotFound, "The log has no object of this name, or not yet.")
	} else if err != nil {
		return unavailable(err)
	}
	return answer{status: http.StatusOK, kind: kind, body: b, cache: forEver}
}

// publicName reports whether a name is one that the public log can have, and the
// media type of what it names. Nothing else is ever asked of the store.
func publicName(name string) (kind string, ok bool) {
	if strings.HasPrefix(name, "tile/") {
		_, _, _, err := tile.ParsePath(name)
		return binary, err == nil
	}
	dir, number, _ := strings.Cut(name, "/")
	switch dir {
	case "heads", "signed", "checkpoints":
	default:
		return "", false
	}
	return plain, len(number) == 20 && strings.Trim(number, "0123456789") == ""
}

// checkpoint answers for the one public object that changes.
func (h *handler) checkpoint(r *http.Request) answer {
	b, err := h.objects(r.Context(), "checkpoint")
	if errors.Is(err, notary.ErrNotFound) {
		return problem(http.StatusNotFound, "The log has no final checkpoint yet: nothing has been sealed.")
	} else if err != nil {
		return unavailable(err)
	}
	return answer{status: http.StatusOK, kind: plain, body: b, cache: askUs}
}

// receipt answers for the public part of a receipt.
func (h *handler) receipt(r *http.Request) answer {
	stream, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/receipts/"), "/")
	var ref notary.Ref
	var err error
	if ref.Stream, err = statement.ParseStreamID(stream); err == nil {
		ref.Statement, err = statement.ParseID(id)
	}
	if err != nil {
		return problem(http.StatusNotFound, "A receipt's address is /receipts/, the stream id, / and the statement id, each of 64 lowercase hex digits.")
	}
	e, err := h.Service.Receipt(r.Context(), ref)
	if no, ok := as[*notary.Refusal](err); ok {
		return problem(http.StatusConflict, "The statement was accepted and then refused when its batch was sealed: "+no.Reason+
			". It is not in the log and will have no receipt. When the reason is gone, make and send a new statement.")
	}
	switch {
	case errors.Is(err, notary.ErrPending):
		return answer{status: http.StatusAccepted, kind: jsonType, body: []byte("{\"status\":\"pending\"}\n"), retry: h.retryAfter()}
	case errors.Is(err, notary.ErrNotFound):
		return problem(http.StatusNotFound, "No statement with this id was accepted for this stream here. If you hold the signed statement, send it again: that is always safe.")
	case err != nil:
		return unavailable(err)
	}
	b, err := e.Bytes()
	if err != nil {
		return unavailable(err)
	}
	return answer{status: http.StatusOK, kind: plain, body: b, cache: forEver}
}
