package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// invokeAPI is LocalStack's door: one event, answered at once; its outcome is posted later.
func (e *environment) invokeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /invoke", func(w http.ResponseWriter, r *http.Request) {
		var ev event
		if err := json.NewDecoder(r.Body).Decode(&ev); err != nil || ev.ID == "" {
			http.Error(w, "not an event of LocalStack", http.StatusBadRequest)
			return
		}
		select {
		case e.invoked <- ev:
			w.WriteHeader(http.StatusAccepted)
		default:
			http.Error(w, "busy with another event", http.StatusTooManyRequests)
		}
	})
	return mux
}

// runtimeAPI is the function's door, the Lambda Runtime API.
func (e *environment) runtimeAPI() http.Handler {
	const base = "/2018-06-01/runtime"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"/invocation/next", e.next)
	mux.HandleFunc("POST "+base+"/invocation/{id}/response", e.outcome(false))
	mux.HandleFunc("POST "+base+"/invocation/{id}/error", e.outcome(true))
	mux.HandleFunc("POST "+base+"/init/error", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		select {
		case e.birth <- outcome{b, true}:
			w.WriteHeader(http.StatusAccepted)
		case <-r.Context().Done():
		}
	})
	return mux
}

// next waits for an event, for as long as the function does.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	n := &next{answer: make(chan event), gone: r.Context().Done()}
	select {
	case e.asked <- n:
	case <-n.gone:
		return
	}
	select {
	case <-n.gone:
	case ev := <-n.answer:
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", ev.ID)
		h.Set("Lambda-Runtime-Invoked-Function-Arn", ev.ARN)
		h.Set("Lambda-Runtime-Trace-Id", ev.Trace)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(ev.deadline.UnixMilli(), 10))
		h.Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, ev.Payload) // a function that has gone is noticed by its end
	}
}

// outcome takes the function's answer to the event in hand.
func (e *environment) outcome(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !e.inHand(r.PathValue("id")) {
			http.Error(w, `{"errorType":"InvalidRequestID","errorMessage":"not the event in hand"}`, http.StatusBadRequest)
			return
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		select {
		case e.told <- outcome{b, failed}:
			w.WriteHeader(http.StatusAccepted)
		case <-r.Context().Done():
		}
	}
}
