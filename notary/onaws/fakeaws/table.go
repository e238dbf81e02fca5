package fakeaws

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Names and bounds of the one table, as DynamoDB has them.
const (
	partitionKey  = "pk"
	sortKey       = "sk"
	writeUnit     = 1024
	readUnit      = 4096
	maxBatchGet   = 100
	maxBatchWrite = 25
)

// ItemKey names an item.
type ItemKey struct{ Partition, Sort string }

// Table is one DynamoDB table on the wire: the four operations and the four
// expressions that the store uses, and nothing else. Its settings are changed
// between calls only.
type Table struct {
	Page    int  // items of a Query's page at most; 0: all
	Empty   int  // so many pages come empty, with a LastEvaluatedKey
	Process int  // keys or items of a batch call at most; 0: all
	Nothing bool // of a batch call nothing is processed

	mu    sync.Mutex
	items map[ItemKey]map[string]any
	units float64 // of the call being served
}

// Snapshot returns the items as they are now, for [Table.Restore].
func (d *Table) Snapshot() map[ItemKey]map[string]any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.items)
}

// Restore puts back what Snapshot returned: the table from an older copy.
func (d *Table) Restore(items map[ItemKey]map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.items = maps.Clone(items)
}

type dbRequest struct {
	TableName                 string
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

func keyIn(item map[string]any) ItemKey {
	text := func(name string) string {
		m, _ := item[name].(map[string]any)
		s, _ := m["S"].(string)
		return s
	}
	return ItemKey{text(partitionKey), text(sortKey)}
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

func (d *Table) serve(w http.ResponseWriter, op string, body []byte) {
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

func (d *Table) query(r dbRequest) map[string]any {
	text := func(v any) string {
		m, _ := v.(map[string]any)
		s, _ := m["S"].(string)
		return s
	}
	if !r.ConsistentRead {
		return nil
	}
	partition, from := text(r.ExpressionAttributeValues[":p"]), text(r.ExpressionAttributeValues[":s"])
	after := keyIn(r.ExclusiveStartKey).Sort
	var keys []ItemKey
	for k := range d.items {
		if k.Partition == partition && k.Sort >= from && k.Sort > after {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b ItemKey) int { return strings.Compare(a.Sort, b.Sort) })
	n := len(keys)
	for _, limit := range []int{r.Limit, d.Page} {
		if limit > 0 {
			n = min(n, limit)
		}
	}
	answer := map[string]any{}
	if n > 0 && d.Empty > 0 && after == "" {
		// The key before the first: nothing was found up to here, there is more.
		d.Empty--
		answer["LastEvaluatedKey"] = map[string]any{partitionKey: map[string]any{"S": partition}, sortKey: map[string]any{"S": "\x01"}}
		answer["Items"] = []any{}
		return answer
	}
	items, bytes := []any{}, 0
	for _, k := range keys[:n] {
		items = append(items, d.items[k])
		bytes += size(d.items[k])
	}
	d.units = up(bytes, readUnit)
	answer["Items"] = items
	if n < len(keys) || r.Limit > 0 && n == r.Limit {
		last := keys[n-1]
		answer["LastEvaluatedKey"] = map[string]any{partitionKey: map[string]any{"S": last.Partition}, sortKey: map[string]any{"S": last.Sort}}
	}
	return answer
}

func (d *Table) batchGet(r dbRequest) map[string]any {
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
		seen := map[ItemKey]bool{}
		items, left := []any{}, []any{}
		for i, k := range keys {
			at := keyIn(k.(map[string]any))
			if seen[at] {
				return nil // DynamoDB refuses a key twice
			}
			seen[at] = true
			if d.Nothing || d.Process > 0 && i >= d.Process {
				left = append(left, k)
				continue
			}
			d.units += up(size(d.items[at]), readUnit)
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

func (d *Table) batchWrite(r dbRequest) map[string]any {
	answer := map[string]any{}
	for table, raw := range r.RequestItems {
		var writes []struct {
			DeleteRequest struct{ Key map[string]any }
		}
		if json.Unmarshal(raw, &writes) != nil || len(writes) > maxBatchWrite {
			return nil
		}
		var left []any
		seen := map[ItemKey]bool{}
		for i, write := range writes {
			at := keyIn(write.DeleteRequest.Key)
			if seen[at] {
				return nil
			}
			seen[at] = true
			if d.Nothing || d.Process > 0 && i >= d.Process {
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
