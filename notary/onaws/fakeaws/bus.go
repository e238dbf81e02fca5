package fakeaws

import (
	"encoding/json"
	"net/http"
)

type busEntry struct{ Source, DetailType, Detail, EventBusName string }

func entriesOf(body []byte) []busEntry {
	var in struct{ Entries []busEntry }
	json.Unmarshal(body, &in) // none, if this fails
	return in.Entries
}

// putEvents takes events, of which [Server.Events] then tells.
func (f *Server) putEvents(w http.ResponseWriter, body []byte) {
	ids := []map[string]string{}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.FullBus {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		json.NewEncoder(w).Encode(map[string]any{"FailedEntryCount": 1, "Entries": ids})
		return
	}
	for _, e := range entriesOf(body) {
		f.events = append(f.events, e.DetailType+" "+e.Detail)
		ids = append(ids, map[string]string{"EventId": "1"})
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	json.NewEncoder(w).Encode(map[string]any{"FailedEntryCount": 0, "Entries": ids})
}

// Events returns the events put so far: detail type, a blank, detail.
func (f *Server) Events() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.events...)
}
