package onaws

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// Bounds of DynamoDB's batch calls, and of what is left over from them.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	leftOverTries = 12 // in a row in which nothing at all was processed
)

// pause waits a little, longer after each try.
func pause(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(backoff(try)):
		return nil
	}
}

// distinct returns the keys without repetitions.
func distinct(keys []key) []key {
	seen := make(map[key]bool, len(keys))
	var all []key
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			all = append(all, k)
		}
	}
	return all
}

// getItems reads the items under keys consistently. attribute, if not "", is all
// that is wanted of them.
func (s *Store) getItems(ctx context.Context, keys []key, attribute string) (map[key]attributes, error) {
	keys = distinct(keys)
	var mu sync.Mutex
	found := make(map[key]attributes, len(keys))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel / 4)
	for from := 0; from < len(keys); from += maxBatchGet {
		chunk := keys[from:min(from+maxBatchGet, len(keys))]
		g.Go(func() error {
			return s.getChunk(ctx, chunk, attribute, func(k key, a attributes) {
				mu.Lock()
				defer mu.Unlock()
				found[k] = a
			})
		})
	}
	return found, g.Wait()
}

func (s *Store) getChunk(ctx context.Context, keys []key, attribute string, got func(key, attributes)) error {
	want := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, k := range keys {
		want.Keys = append(want.Keys, k.attributes())
	}
	if attribute != "" {
		want.ProjectionExpression = aws.String(PartitionKey + ", " + SortKey + ", #a")
		want.ExpressionAttributeNames = map[string]string{"#a": attribute}
	}
	for try := 0; ; {
		asked := len(want.Keys)
		out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{s.table: want}})
		if err != nil {
			return err
		}
		for _, a := range out.Responses[s.table] {
			k, err := keyOf(a)
			if err != nil {
				return err
			}
			got(k, a)
		}
		left := out.UnprocessedKeys[s.table].Keys
		if len(left) == 0 {
			return nil
		}
		want.Keys = left
		if try++; len(left) < asked {
			try = 1
		}
		if try > leftOverTries {
			return fmt.Errorf("DynamoDB left %d of %d reads undone %d times; it is throttling", len(left), len(keys), try)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// deleteItems removes the items under keys; absent ones are no error.
func (s *Store) deleteItems(ctx context.Context, keys []key) error {
	keys = distinct(keys)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel / 4)
	for from := 0; from < len(keys); from += maxBatchWrite {
		chunk := keys[from:min(from+maxBatchWrite, len(keys))]
		g.Go(func() error { return s.deleteChunk(ctx, chunk) })
	}
	return g.Wait()
}

func (s *Store) deleteChunk(ctx context.Context, keys []key) error {
	var left []types.WriteRequest
	for _, k := range keys {
		left = append(left, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k.attributes()}})
	}
	for try := 0; ; {
		asked := len(left)
		out, err := s.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{s.table: left}})
		if err != nil {
			return err
		}
		if left = out.UnprocessedItems[s.table]; len(left) == 0 {
			return nil
		}
		if try++; len(left) < asked {
			try = 1
		}
		if try > leftOverTries {
			return fmt.Errorf("DynamoDB left %d of %d deletions undone %d times; it is throttling", len(left), len(keys), try)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// addItems writes those items that do not exist: the first of those under one key.
func (s *Store) addItems(ctx context.Context, n int, make func(i int) (key, attributes)) error {
	seen := map[key]bool{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i := range n {
		k, a := make(i)
		if seen[k] {
			continue
		}
		seen[k] = true
		g.Go(func() error { return s.addItem(ctx, a) })
	}
	return g.Wait()
}
