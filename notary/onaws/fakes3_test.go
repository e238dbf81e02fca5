package onaws

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// fakeS3 is S3 on the wire, path-style: conditional puts with their checksum,
// ranges, lists in pages of two. It keeps no versions and locks nothing.
type fakeS3 struct {
	mu      sync.Mutex
	objects map[string]fakeObject // by /bucket/name
}

type fakeObject struct {
	data    []byte
	head    http.Header // what came with it and goes out with it
	deleted bool        // a delete marker
}

func s3Operation(r *http.Request) string {
	_, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && name == "":
		return "ListObjectsV2"
	case r.Method == http.MethodGet:
		return "GetObject"
	case r.Method == http.MethodPut:
		return "PutObject"
	case r.Method == http.MethodDelete:
		return "DeleteObject"
	}
	return r.Method
}

func s3Error(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%[1]s</Message></Error>`, code)
}

func etag(b []byte) string { return fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(b))) }

func (s *fakeS3) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, there := s.objects[r.URL.Path]
	hidden := o.deleted
	there = there && !hidden
	switch s3Operation(r) {
	case "ListObjectsV2":
		s.list(w, r)
	case "DeleteObject":
		delete(s.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	case "GetObject":
		if !there {
			if hidden {
				w.Header().Set("x-amz-delete-marker", "true")
			}
			s3Error(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		for k, v := range o.head {
			w.Header()[k] = v
		}
		w.Header().Set("ETag", etag(o.data))
		s.ranged(w, r.Header.Get("Range"), o.data)
	case "PutObject":
		sum := sha256.Sum256(body)
		if r.Header.Get("x-amz-checksum-sha256") != base64.StdEncoding.EncodeToString(sum[:]) {
			s3Error(w, http.StatusBadRequest, "BadDigest") // the store always sends one
			return
		}
		match := r.Header.Get("If-Match")
		switch {
		case match != "" && !there:
			s3Error(w, http.StatusNotFound, "NoSuchKey")
			return
		case r.Header.Get("If-None-Match") == "*" && there, match != "" && match != etag(o.data):
			s3Error(w, http.StatusPreconditionFailed, "PreconditionFailed")
			return
		}
		kept := http.Header{}
		for k, v := range r.Header {
			if strings.HasPrefix(k, "X-Amz-Meta-") || k == "Content-Type" || k == "Cache-Control" {
				kept[k] = v
			}
		}
		s.objects[r.URL.Path] = fakeObject{data: body, head: kept}
		w.Header().Set("ETag", etag(body))
	default:
		s3Error(w, http.StatusNotImplemented, "NotImplemented")
	}
}

func (s *fakeS3) ranged(w http.ResponseWriter, byteRange string, data []byte) {
	spec, ok := strings.CutPrefix(byteRange, "bytes=")
	if !ok {
		w.Write(data)
		return
	}
	from, to, _ := strings.Cut(spec, "-")
	first, _ := strconv.ParseInt(from, 10, 64)
	last := int64(len(data)) - 1
	if to != "" {
		n, _ := strconv.ParseInt(to, 10, 64)
		last = min(last, n)
	}
	if first > int64(len(data))-1 {
		s3Error(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
		return
	}
	w.WriteHeader(http.StatusPartialContent)
	w.Write(data[first : last+1])
}

func (s *fakeS3) list(w http.ResponseWriter, r *http.Request) {
	const page = 2
	bucket := strings.TrimSuffix(r.URL.Path, "/") + "/"
	q := r.URL.Query()
	var names []string
	for path := range s.objects {
		if name, ok := strings.CutPrefix(path, bucket); ok && strings.HasPrefix(name, q.Get("prefix")) && name > q.Get("continuation-token") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	more := len(names) > page
	names = names[:min(page, len(names))]
	type content struct{ Key string }
	answer := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []content
	}{IsTruncated: more}
	for _, n := range names {
		answer.Contents = append(answer.Contents, content{n})
	}
	if more {
		answer.NextContinuationToken = names[len(names)-1]
	}
	xml.NewEncoder(w).Encode(answer)
}
