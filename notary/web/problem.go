package web

import (
	"encoding/json"
	"net/http"
)

// problemType is the media type of RFC 9457.
const problemType = "application/problem+json"

// problemBody is a problem document. Its type is always about:blank, so that the
// title is the status's own phrase; detail is the sentence to show.
type problemBody struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Index  *int   `json:"index,omitempty"` // which of several statements, from 0
}

// problem returns the answer of an error. detail says what was wrong, whether
// anything was lost, and what to do.
func problem(status int, detail string) answer { return problemAt(status, detail, nil) }

func problemAt(status int, detail string, index *int) answer {
	b, err := json.Marshal(problemBody{"about:blank", http.StatusText(status), status, detail, index})
	if err != nil {
		panic(err) // strings and numbers always have a text
	}
	return answer{status: status, kind: problemType, body: append(b, '\n')}
}
