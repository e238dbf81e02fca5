package main

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Every kind of fault does what it says: how often the call takes effect, and what
// the caller hears of it.
func TestFaultKinds(t *testing.T) {
	var effects atomic.Int32
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		effects.Add(1)
		io.WriteString(w, "answer to "+string(b))
	}))
	defer aws.Close()
	for k := none; k < faultKinds; k++ {
		t.Run(k.String(), func(t *testing.T) {
			p := newFaultProxy(t, 1, aws.URL)
			o := &operation{order: rand.New(rand.NewPCG(1, 1)), due: []faultKind{k}}
			if p.ops["DynamoDB BatchWriteItem"] = o; k == none {
				p.rest()
			}
			ask := func() string {
				req, err := http.NewRequest("POST", p.URL, strings.NewReader("question"))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("X-Amz-Target", "DynamoDB_20120810.BatchWriteItem")
				client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
				res, err := client.Do(req)
				if err != nil {
					return "hung up"
				}
				defer res.Body.Close()
				b, err := io.ReadAll(res.Body)
				if err != nil {
					return "hung up"
				}
				return res.Status[:3] + " " + string(b)
			}
			for range 1000 {
				effects.Store(0)
				began, heard := time.Now(), ask()
				took := time.Since(began)
				if k != none && len(o.done) == 0 {
					continue // not this call
				}
				p.rest()
				want := "200 answer to question"
				switch k {
				case dropBefore, dropAfter, truncate:
					want = "hung up"
				case error500Before, error500After:
					want = "500 "
				case error503Before, error503After:
					want = "503 "
				case error409Before, error409After:
					want = "409 "
				}
				if !strings.HasPrefix(heard, want) {
					t.Errorf("the caller hears %q, want %q", heard, want)
				}
				if n := int(effects.Load()); n != k.effects() {
					t.Errorf("%d effects, want %d", n, k.effects())
				}
				if (k == delayBefore || k == delayAfter) && took < 20*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				return
			}
			t.Fatal("no call went wrong")
		})
	}
}

func TestOperations(t *testing.T) {
	for _, c := range []struct{ method, target, url, want string }{
		{"POST", "DynamoDB_20120810.BatchGetItem", "/", "DynamoDB BatchGetItem"},
		{"POST", "TrentService.Sign", "/", "KMS Sign"},
		{"POST", "AWSEvents.PutEvents", "/", "EventBridge PutEvents"},
		{"PUT", "", "/bucket/heads/1?x-id=PutObject", "S3 PutObject"},
		{"GET", "", "/bucket/heads/1?x-id=GetObject", "S3 GetObject"},
		{"GET", "", "/bucket?list-type=2&prefix=map", "S3 ListObjectsV2"},
	} {
		r := httptest.NewRequest(c.method, c.url, nil)
		r.Header.Set("X-Amz-Target", c.target)
		if name := operationOf(r); name != c.want {
			t.Errorf("%s %s%s is %s, want %s", c.method, c.target, c.url, name, c.want)
		}
	}
}
