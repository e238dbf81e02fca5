package web

import (
	"context"
	"log/slog"
	"net/http"
)

// MirrorOptions is what the handler of a mirror is made of.
type MirrorOptions struct {
	Origin string // of the log
	// Object returns an object of the log by name, or notary.ErrNotFound.
	Object func(ctx context.Context, name string) ([]byte, error)
	// Trust returns the operator's own trust file, as the mirror has it; nil: none.
	Trust func() []byte
	Log   *slog.Logger // as in Options
}

// NewMirror returns the handler of a copy of a public log: the routes of the log and
// the verification page, with the answers that the service itself gives. Nothing can
// be submitted, and no receipt fetched: those are made from the log by who asks.
func NewMirror(o MirrorOptions) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := newHandler(Options{Trust: o.Trust, Log: o.Log}, o.Object, newPage(o.Origin, true))
	h.take(append(h.log(), nowhere()))
	return h
}
