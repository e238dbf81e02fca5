package onaws

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// fakeDB is one DynamoDB table on the wire: the five operations and the four
// expressions that the store uses, and nothing else.
type fakeDB struct {
	mu    sync.Mutex
	items map[key]map[string]any

	page    int // items of a Query's page at most; 0: all
	process int // keys or items of a batch call at most; 0: all
	nothing bool
	units   float64 // of the call being served
	empty   int     // so many pages come empty, with a LastEvaluatedKey
}

type dbRequest struct {
	Item, Key                 map[string]any
	ConsistentRead            bool
	ConditionExpression       string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]any
	KeyConditionExpression    string
	ExclusiveStartKey         map[string]any
	Limit                     int
	RequestItems              map[string]json.RawMessage
	ReturnConsumedCapacity    string
}

func keyIn(item map[string]any) key {
	text := func(name string) string {
		m, _ := item[name].(map[string]any)
		s, _ := m["S"].(string)
		return s
	}
	return key{text(PartitionKey), text(SortKey)}
}

func jsonError(w http.ResponseWriter, status int, code string, item map[string]any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	b := map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": code}
	if item != nil {
		b["Item"] = item
	}
	json.NewEncoder(w).Encode(b)
}

func (d *fakeDB) serve(w http.ResponseWriter, op string, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var r dbRequest
	if err := json.Unmarshal(body, &r); err != nil {
		jsonError(w, 400, "SerializationException", nil)
		return
	}
	answer := map[string]any{}
	d.units = 0
	switch op {
	case "GetItem":
		if !r.ConsistentRead {
			jsonError(w, 400, "ValidationException", nil) // the store never reads otherwise
			return
		}
		if item := d.items[keyIn(r.Key)]; item != nil {
			answer["Item"] = item
		}
		d.units = up(size(d.items[keyIn(r.Key)]), 4096)
	case "PutItem":
		now := d.items[keyIn(r.Item)]
		var ok bool
		switch r.ConditionExpression {
		case "attribute_not_exists(pk)":
			ok = now == nil
		case "#value = :old":
			ok = now != nil && reflect.DeepEqual(now[r.ExpressionAttributeNames["#value"]], r.ExpressionAttributeValues[":old"])
		}
		if !ok {
			jsonError(w, 400, "ConditionalCheckFailedException", now)
			return
		}
		d.units = up(max(size(now), size(r.Item)), writeUnit)
		d.items[keyIn(r.Item)] = r.Item
	case "Query":
		answer = d.query(r)
	case "BatchGetItem":
		answer = d.batchGet(r)
	case "BatchWriteItem":
		answer = d.batchWrite(r)
	}
	if answer == nil {
		jsonError(w, 400, "ValidationException", nil)
		return
	}
	if r.ReturnConsumedCapacity == "TOTAL" {
		total := map[string]any{"TableName": "table", "CapacityUnits": d.units}
		answer["ConsumedCapacity"] = total
		if strings.HasPrefix(op, "Batch") {
			answer["ConsumedCapacity"] = []any{total}
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	json.NewEncoder(w).Encode(answer)
}

// size is DynamoDB's size of an item: names and bytes of all attributes.
func size(item map[string]any) (n int) {
	for name, a := range item {
		n += len(name)
		for kind, v := range a.(map[string]any) {
			if n += len(v.(string)); kind == "B" {
				b, _ := base64.StdEncoding.DecodeString(v.(string))
				n += len(b) - len(v.(string))
			}
		}
	}
	return n
}

// up counts units: consistent reads of 4 KiB, writes of 1 KiB, at least one.
func up(bytes, unit int) float64 { return float64(max(1, (bytes+unit-1)/unit)) }

func (d *fakeDB) query(r dbRequest) map[string]any {
	text := func(v any) string {
		m, _ := v.(map[string]any)
		s, _ := m["S"].(string)
		return s
	}
	if !r.ConsistentRead {
		return nil
	}
	partition, from := text(r.ExpressionAttributeValues[":p"]), text(r.ExpressionAttributeValues[":s"])
	after := keyIn(r.ExclusiveStartKey).sort
	var keys []key
	for k := range d.items {
		if k.partition == partition && k.sort >= from && k.sort > after {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b key) int { return strings.Compare(a.sort, b.sort) })
	n := len(keys)
	for _, limit := range []int{r.Limit, d.page} {
		if limit > 0 {
			n = min(n, limit)
		}
	}
	answer := map[string]any{}
	if n > 0 && d.empty > 0 && after == "" {
		// The key before the first: nothing was found up to here, there is more.
		d.empty--
		answer["LastEvaluatedKey"] = map[string]any{PartitionKey: map[string]any{"S": partition}, SortKey: map[string]any{"S": "\x01"}}
		answer["Items"] = []any{}
		return answer
	}
	items, bytes := []any{}, 0
	for _, k := range keys[:n] {
		items = append(items, d.items[k])
		bytes += size(d.items[k])
	}
	d.units = up(bytes, 4096)
	answer["Items"] = items
	if n < len(keys) || r.Limit > 0 && n == r.Limit {
		last := keys[n-1]
		answer["LastEvaluatedKey"] = map[string]any{PartitionKey: map[string]any{"S": last.partition}, SortKey: map[string]any{"S": last.sort}}
	}
	return answer
}

func (d *fakeDB) batchGet(r dbRequest) map[string]any {
	answer := map[string]any{}
	for table, raw := range r.RequestItems {
		var want map[string]any
		if json.Unmarshal(raw, &want) != nil || want["ConsistentRead"] != true {
			return nil
		}
		keys, _ := want["Keys"].([]any)
		if len(keys) > maxBatchGet {
			return nil
		}
		seen := map[key]bool{}
		items, left := []any{}, []any{}
		for i, k := range keys {
			at := keyIn(k.(map[string]any))
			if seen[at] {
				return nil // DynamoDB refuses a key twice
			}
			seen[at] = true
			if d.nothing || d.process > 0 && i >= d.process {
				left = append(left, k)
				continue
			}
			d.units += up(size(d.items[at]), 4096)
			if item := d.items[at]; item != nil {
				items = append(items, item)
			}
		}
		answer["Responses"] = map[string]any{table: items}
		if len(left) > 0 {
			want["Keys"] = left
			answer["UnprocessedKeys"] = map[string]any{table: want}
		}
	}
	return answer
}

func (d *fakeDB) batchWrite(r dbRequest) map[string]any {
	answer := map[string]any{}
	for table, raw := range r.RequestItems {
		var writes []struct {
			DeleteRequest struct{ Key map[string]any }
		}
		if json.Unmarshal(raw, &writes) != nil || len(writes) > maxBatchWrite {
			return nil
		}
		var left []any
		seen := map[key]bool{}
		for i, write := range writes {
			at := keyIn(write.DeleteRequest.Key)
			if seen[at] {
				return nil
			}
			seen[at] = true
			if d.nothing || d.process > 0 && i >= d.process {
				left = append(left, map[string]any{"DeleteRequest": map[string]any{"Key": write.DeleteRequest.Key}})
				continue
			}
			d.units += up(size(d.items[at]), writeUnit)
			delete(d.items, at)
		}
		if len(left) > 0 {
			answer["UnprocessedItems"] = map[string]any{table: left}
		}
	}
	return answer
}
