package fakeaws

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
	"time"
)

// Buckets is S3 on the wire, path-style: conditional puts with their checksum,
// ranges, lists in pages of two. It keeps one version of each object, and says of
// the Locked bucket that it locks its objects.
type Buckets struct {
	Locked string // bucket under Object Lock
	Days   int    // of its default retention
	// Policies are the buckets' policy documents.
	Policies map[string]string

	mu      sync.Mutex
	objects map[string]object // by /bucket/name
}

type object struct {
	data    []byte
	head    http.Header // what came with it and goes out with it
	written time.Time
	hidden  bool // by a delete marker
}

// Hide puts a delete marker over bucket/name, as somebody might who goes around
// the policies.
func (s *Buckets) Hide(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects["/"+name]
	o.hidden = true
	s.objects["/"+name] = o
}

// Delete takes bucket/name away, as an expiry does.
func (s *Buckets) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, "/"+name)
}

// Names returns the objects whose bucket/name begins with prefix, in order.
func (s *Buckets) Names(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for path := range s.objects {
		if strings.HasPrefix(path, "/"+prefix) {
			names = append(names, path[1:])
		}
	}
	slices.Sort(names)
	return names
}

func s3Operation(r *http.Request) string {
	_, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	switch {
	case name == "" && q.Has("versioning"):
		return "GetBucketVersioning"
	case name == "" && q.Has("object-lock"):
		return "GetObjectLockConfiguration"
	case name == "" && q.Has("versions"):
		return "ListObjectVersions"
	case name == "" && q.Has("policy"):
		return "GetBucketPolicy"
	case r.Method == http.MethodGet && name == "":
		return "ListObjectsV2"
	case r.Method == http.MethodGet:
		return "GetObject"
	case r.Method == http.MethodHead:
		return "HeadObject"
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

func (s *Buckets) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	o, there := s.objects[r.URL.Path]
	there = there && !o.hidden
	switch s3Operation(r) {
	case "ListObjectsV2":
		s.list(w, r)
	case "GetBucketVersioning":
		status := "Suspended"
		if bucket == s.Locked {
			status = "Enabled"
		}
		fmt.Fprintf(w, "<VersioningConfiguration><Status>%s</Status></VersioningConfiguration>", status)
	case "GetObjectLockConfiguration":
		if bucket != s.Locked {
			s3Error(w, http.StatusNotFound, "ObjectLockConfigurationNotFoundError")
			return
		}
		fmt.Fprintf(w, "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"+
			"<Mode>COMPLIANCE</Mode><Days>%d</Days></DefaultRetention></Rule></ObjectLockConfiguration>", s.Days)
	case "ListObjectVersions":
		s.versions(w, r)
	case "GetBucketPolicy":
		if s.Policies[bucket] == "" {
			s3Error(w, http.StatusNotFound, "NoSuchBucketPolicy")
			return
		}
		fmt.Fprint(w, s.Policies[bucket])
	case "DeleteObject":
		delete(s.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	case "GetObject", "HeadObject":
		if !there {
			if o.hidden {
				w.Header().Set("x-amz-delete-marker", "true")
			}
			s3Error(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		for k, v := range o.head {
			w.Header()[k] = v
		}
		w.Header().Set("ETag", etag(o.data))
		w.Header().Set("Last-Modified", o.written.UTC().Format(http.TimeFormat))
		if bucket == s.Locked {
			w.Header().Set("x-amz-object-lock-mode", "COMPLIANCE")
			w.Header().Set("x-amz-object-lock-retain-until-date", o.written.UTC().AddDate(0, 0, s.Days).Format(time.RFC3339))
		}
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", strconv.Itoa(len(o.data)))
			return
		}
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
		s.objects[r.URL.Path] = object{data: body, head: kept, written: time.Now()}
		w.Header().Set("ETag", etag(body))
	default:
		s3Error(w, http.StatusNotImplemented, "NotImplemented")
	}
}

func (s *Buckets) ranged(w http.ResponseWriter, byteRange string, data []byte) {
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

// versions answers with the one version that each object has.
func (s *Buckets) versions(w http.ResponseWriter, r *http.Request) {
	bucket := strings.TrimSuffix(r.URL.Path, "/") + "/"
	type version struct {
		Key, VersionId string
		IsLatest       bool
	}
	var answer struct {
		XMLName      xml.Name `xml:"ListVersionsResult"`
		Version      []version
		DeleteMarker []version
	}
	for path, o := range s.objects {
		name, ok := strings.CutPrefix(path, bucket)
		switch {
		case !ok || !strings.HasPrefix(name, r.URL.Query().Get("prefix")):
		case o.hidden:
			answer.DeleteMarker = append(answer.DeleteMarker, version{name, "2", true})
		default:
			answer.Version = append(answer.Version, version{name, "1", true})
		}
	}
	xml.NewEncoder(w).Encode(answer)
}

func (s *Buckets) list(w http.ResponseWriter, r *http.Request) {
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
