package fakeaws

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Ask is one question to IAM: may who do action on resource, with these condition
// keys? Resources are written bucket, bucket/name, table/…, key/… and bus/….
type Ask struct {
	Who, Action, Resource string
	Context               map[string]string
}

func (a Ask) String() string {
	s := a.Who + " " + a.Action + " " + a.Resource
	for _, k := range slices.Sorted(maps.Keys(a.Context)) {
		s += " " + k + "=" + a.Context[k]
	}
	return s
}

// Asks returns the distinct questions so far, in order. Names of objects and
// partitions stand as they were asked for, so that any policy can be evaluated.
func (f *Server) Asks() []Ask {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Ask
	for _, s := range slices.Sorted(maps.Keys(f.asks)) {
		all = append(all, f.asks[s])
	}
	return all
}

func (f *Server) record(who string, asks []Ask) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range asks {
		a.Who = who
		f.asks[a.String()] = a
	}
}

// who is the access key in a signature of AWS, version 4.
func who(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(credential, "/")
	return key
}

// asks are the questions that one call asks, those included that it asks by the way:
// of a lock that is read or set, and of a missing object, which only who may list
// is told to be missing.
func asks(service, op string, r *http.Request, body []byte, status int) []Ask {
	switch service {
	case "S3":
		return s3Asks(op, r, status)
	case "DynamoDB_20120810":
		return tableAsks(op, body)
	case "TrentService":
		var in struct{ KeyId, MessageType, SigningAlgorithm string }
		json.Unmarshal(body, &in) // the call was refused if this fails
		a := Ask{Action: "kms:" + op, Resource: "key/" + in.KeyId}
		if op == "Sign" {
			a.Context = map[string]string{"kms:SigningAlgorithm": in.SigningAlgorithm, "kms:MessageType": in.MessageType}
		}
		return []Ask{a}
	case "AWSEvents":
		var all []Ask
		for _, e := range entriesOf(body) {
			bus := e.EventBusName
			if bus == "" {
				bus = "default"
			}
			all = append(all, Ask{Action: "events:" + op, Resource: "bus/" + bus,
				Context: map[string]string{"events:source": e.Source, "events:detail-type": e.DetailType}})
		}
		return all
	}
	return nil
}

func s3Asks(op string, r *http.Request, status int) []Ask {
	path := strings.TrimPrefix(r.URL.Path, "/")
	bucket, name, _ := strings.Cut(path, "/")
	ask := func(action, resource string) Ask { return Ask{Action: "s3:" + action, Resource: resource} }
	switch op {
	case "ListObjectsV2":
		return []Ask{ask("ListBucket", bucket)}
	case "ListObjectVersions":
		return []Ask{ask("ListBucketVersions", bucket)}
	case "GetBucketVersioning", "GetBucketPolicy":
		return []Ask{ask(op, bucket)}
	case "GetObjectLockConfiguration":
		return []Ask{ask("GetBucketObjectLockConfiguration", bucket)}
	case "GetObject", "HeadObject":
		all := []Ask{ask("GetObject", path)}
		if op == "HeadObject" {
			all = append(all, ask("GetObjectRetention", path)) // without it the lock is silently absent
		}
		if status == http.StatusNotFound {
			all = append(all, ask("ListBucket", bucket))
		}
		return all
	case "PutObject":
		put := ask("PutObject", path)
		if v := r.Header.Get("If-None-Match"); v != "" {
			put.Context = map[string]string{"s3:if-none-match": v}
		}
		all := []Ask{put}
		if r.Header.Get("If-Match") != "" {
			all = append(all, ask("GetObject", path)) // whether it matches is a read
		}
		for header, action := range map[string]string{"X-Amz-Object-Lock-Mode": "PutObjectRetention",
			"X-Amz-Object-Lock-Retain-Until-Date": "PutObjectRetention", "X-Amz-Object-Lock-Legal-Hold": "PutObjectLegalHold",
			"X-Amz-Tagging": "PutObjectTagging", "X-Amz-Acl": "PutObjectAcl"} {
			if r.Header.Get(header) != "" {
				all = append(all, ask(action, path))
			}
		}
		return all
	}
	return []Ask{ask(op, bucket+"/"+name)}
}

// tableAsks gives one question for each partition that a call is about, by what
// the partition's name begins with.
func tableAsks(op string, body []byte) []Ask {
	var r dbRequest
	json.Unmarshal(body, &r) // the call was refused if this fails
	table := r.TableName
	kinds := map[string]bool{}
	add := func(partition string) {
		kind, of, found := strings.Cut(partition, "#")
		if found && of != "-" { // which is the only one of its kind
			partition = kind + "#"
		}
		kinds[partition] = true
	}
	if r.Item != nil {
		add(keyIn(r.Item).Partition)
	}
	if r.Key != nil {
		add(keyIn(r.Key).Partition)
	}
	if p, ok := r.ExpressionAttributeValues[":p"].(map[string]any); ok {
		add(fmt.Sprint(p["S"]))
	}
	for name, raw := range r.RequestItems {
		table = name
		for _, k := range requestKeys(raw) {
			add(k.Partition)
		}
	}
	var all []Ask
	for kind := range kinds {
		all = append(all, Ask{Action: "dynamodb:" + op, Resource: "table/" + table, Context: map[string]string{"dynamodb:LeadingKeys": kind}})
	}
	return all
}

// requestKeys are those of one table in a batch call, of reads or of deletions.
func requestKeys(raw json.RawMessage) []ItemKey {
	var reads struct{ Keys []map[string]any }
	var writes []struct {
		DeleteRequest, PutRequest struct{ Key, Item map[string]any }
	}
	var keys []ItemKey
	if json.Unmarshal(raw, &reads) == nil {
		for _, k := range reads.Keys {
			keys = append(keys, keyIn(k))
		}
	} else if json.Unmarshal(raw, &writes) == nil {
		for _, w := range writes {
			for _, item := range []map[string]any{w.DeleteRequest.Key, w.PutRequest.Item} {
				if item != nil {
					keys = append(keys, keyIn(item))
				}
			}
		}
	}
	return keys
}

// nameOf is what a call is about, for a fault that is meant for it alone.
func nameOf(service string, r *http.Request, body []byte) string {
	if service == "S3" {
		return strings.TrimPrefix(r.URL.Path, "/")
	}
	var in dbRequest
	if service != "DynamoDB_20120810" || json.Unmarshal(body, &in) != nil || in.Item == nil {
		return ""
	}
	k := keyIn(in.Item)
	return k.Partition + "|" + k.Sort
}
