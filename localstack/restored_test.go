package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"trialnotary/notary/onaws"
)

// TestTableRestored puts the table back to an older copy, as a point-in-time restore
// does, while the log has gone on; and then loses it altogether. Either time nothing
// is signed and an alarm is raised until the operator asks the sealer to repair;
// then all that was ever accepted is in the log, once.
func TestTableRestored(t *testing.T) {
	d := up(t)
	d.needsHost(t) // its logs
	d.withoutRules(t)
	s := d.newStudy(t)
	d.configure(t, map[string]string{onaws.EnvMeter: "1"}, "Seal")
	s.submit(t, s.datasets(t, 20)...)
	s.sealAll(t)
	older := d.rows(t)
	waiting := s.datasets(t, 5) // in the inbox of the newer table only
	for range 3 {
		s.submit(t, s.datasets(t, 30)...)
		s.sealAll(t)
	}
	for _, c := range []struct {
		name    string
		rows    []map[string]types.AttributeValue
		rebuilt func(batches uint64) bool
	}{
		{"an older copy", older, func(n uint64) bool { return n == 3 }},
		{"no copy at all", nil, func(n uint64) bool { return n > 3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.submit(t, waiting...)
			newest := d.newest(t)
			d.replaceRows(t, c.rows)
			if c.rows != nil {
				s.submit(t, s.datasets(t, 5)...) // an older copy still knows the trial
			}

			before, began := d.versions(t), time.Now()
			for range 2 {
				if err := d.seal(t.Context(), t); err == nil || !strings.Contains(err.Error(), "run repair") {
					t.Errorf("the sealer with a restored table: %v", err)
				}
			}
			if after := d.versions(t); !maps.Equal(before, after) {
				t.Errorf("%d objects were there, and %d are after it", len(before), len(after))
			}
			alarms := 0
			for _, l := range d.log(t, "Seal", began) {
				if l.Msg == "ALARM" && l.Kind == "restored" {
					alarms++
				}
				if l.Calls["KMS Sign"] > 0 || l.Calls["S3 PutObject"] > 0 {
					t.Errorf("it signed or wrote: %v", l.Calls)
				}
				if l.Msg == "metered" && l.Calls["EventBridge PutEvents"] != 1 {
					t.Errorf("the alarm was announced %d times", l.Calls["EventBridge PutEvents"])
				}
			}
			if alarms != 2 {
				t.Errorf("%d alarms in two rounds", alarms)
			}

			var r struct {
				Batches uint64 `json:"batches_rebuilt"`
				Last    uint64 `json:"last_batch"`
				More    bool
			}
			d.repair(t, &r)
			if !c.rebuilt(r.Batches) || r.More {
				t.Errorf("repaired: %+v", r)
			}
			again := r
			if d.repair(t, &again); again.Batches != 0 {
				t.Errorf("repaired twice: %+v", again)
			}
			if now := d.newest(t); now.Checkpoint != newest.Checkpoint {
				t.Errorf("the repair moved the log from size %d to %d", newest.Size, now.Size)
			}
			// What only the table's lost part held, clients hold: they send again what got no
			// receipt. What is sealed already stays as it is.
			s.submit(t, waiting...)
			s.submit(t, s.datasets(t, 10)...)
			s.sealAll(t)
			s.sealedOnce(t)
			waiting = s.datasets(t, 5)
		})
	}
}

// repair starts the sealer as an operator does.
func (d *deployed) repair(t *testing.T, answer any) {
	t.Helper()
	out, err := d.lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(d.function(t, "Seal")), Payload: []byte(`{"repair":true}`)})
	if err == nil && out.FunctionError != nil {
		err = errors.New(*out.FunctionError)
	}
	if err == nil {
		err = json.Unmarshal(out.Payload, answer)
	}
	if err != nil {
		t.Fatalf("repair: %v %s", err, out.Payload)
	}
	t.Logf("repair: %s", out.Payload)
}

// versions are the objects of the log, with their versions.
func (d *deployed) versions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	pages := s3.NewListObjectVersionsPaginator(d.S3, &s3.ListObjectVersionsInput{Bucket: &d.LogBucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			all[*v.Key+" "+*v.VersionId] = *v.ETag
		}
	}
	return all
}

// rows is the whole table.
func (d *deployed) rows(t *testing.T) (all []map[string]types.AttributeValue) {
	t.Helper()
	pages := dynamodb.NewScanPaginator(d.DynamoDB, &dynamodb.ScanInput{TableName: &d.Table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Items...)
	}
	return all
}

// replaceRows makes rows all that the table holds.
func (d *deployed) replaceRows(t *testing.T, rows []map[string]types.AttributeValue) {
	t.Helper()
	var writes []types.WriteRequest
	keep := map[string]bool{}
	key := func(r map[string]types.AttributeValue) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{onaws.PartitionKey: r[onaws.PartitionKey], onaws.SortKey: r[onaws.SortKey]}
	}
	name := func(r map[string]types.AttributeValue) string {
		return fmt.Sprint(r[onaws.PartitionKey].(*types.AttributeValueMemberS).Value, "\n", r[onaws.SortKey].(*types.AttributeValueMemberS).Value)
	}
	for _, r := range rows {
		keep[name(r)] = true
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: r}})
	}
	for _, r := range d.rows(t) {
		if !keep[name(r)] {
			writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key(r)}})
		}
	}
	for some := range slices.Chunk(writes, 25) {
		for left := map[string][]types.WriteRequest{d.Table: some}; len(left) > 0; {
			out, err := d.DynamoDB.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: left})
			if err != nil {
				t.Fatal(err)
			}
			left = out.UnprocessedItems
		}
	}
	if n := len(d.rows(t)); n != len(rows) {
		t.Fatalf("the table has %d rows, want %d", n, len(rows))
	}
}
