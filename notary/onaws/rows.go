package onaws

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trialnotary/notary"
)

// rowKey is a row's own keys, kept apart from the cells beside the rows.
func rowKey(r notary.Row) (key, error) {
	if err := notary.CheckRowKey(r.Partition, r.Sort); err != nil {
		return key{}, err
	}
	return key{r.Partition, r.Sort}, checkPartition(r.Partition)
}

func checkPartition(partition string) error {
	if partition == headKey.partition || strings.HasPrefix(partition, inboxPrefix) {
		return fmt.Errorf("row %q: the partition is not for rows", partition)
	}
	return nil
}

// AddRows writes those rows that do not exist.
func (s *Store) AddRows(ctx context.Context, rows []notary.Row) error {
	return do(ctx, fmt.Sprintf("add %d rows", len(rows)), func() error {
		for _, r := range rows {
			if err := errors.Join(notary.CheckRow(r), checkPartition(r.Partition)); err != nil {
				return err
			}
		}
		return s.addItems(ctx, len(rows), func(i int) (key, attributes) {
			k := key{rows[i].Partition, rows[i].Sort}
			return k, s.item(k, rows[i].Value)
		})
	})
}

// addItem writes an item if there is none under its key. An item that is there
// may be this call's own, of a try that had no answer: both are well.
func (s *Store) addItem(ctx context.Context, a attributes) error {
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: a,
		ConditionExpression: aws.String("attribute_not_exists(" + PartitionKey + ")")})
	if failed := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &failed) {
		return nil
	}
	return err
}

// SwapRow replaces a row's value.
func (s *Store) SwapRow(ctx context.Context, old []byte, row notary.Row) error {
	return do(ctx, "swap row", func() error {
		if err := errors.Join(notary.CheckRow(row), checkPartition(row.Partition)); err != nil {
			return err
		}
		return s.swap(ctx, key{row.Partition, row.Sort}, old, row.Value)
	})
}

// GetRows returns the values under keys, nil where there is none.
func (s *Store) GetRows(ctx context.Context, keys []notary.Row) (values [][]byte, err error) {
	err = do(ctx, fmt.Sprintf("get %d rows", len(keys)), func() error {
		if len(keys) > notary.MaxCall {
			return fmt.Errorf("%d keys in one call, at most %d", len(keys), notary.MaxCall)
		}
		want := make([]key, len(keys))
		for i, r := range keys {
			if want[i], err = rowKey(r); err != nil {
				return err
			}
		}
		found, err := s.getItems(ctx, want, "")
		if err != nil {
			return err
		}
		values = make([][]byte, len(keys))
		for i, k := range want {
			if values[i], err = value(found[k]); err != nil {
				return fmt.Errorf("row %q %q: %w", k.partition, k.sort, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// ListRows returns at most max rows of a partition with Sort ≥ from, in order.
func (s *Store) ListRows(ctx context.Context, partition, from string, max int) (rows []notary.Row, err error) {
	err = do(ctx, fmt.Sprintf("list rows of %q", partition), func() error {
		if partition == "" {
			return errors.New("an empty partition")
		}
		if err := errors.Join(notary.CheckKeyPart(partition), notary.CheckKeyPart(from), checkPartition(partition)); err != nil {
			return err
		}
		if max <= 0 || len(from) > notary.MaxRowKey && from > strings.Repeat("~", notary.MaxRowKey) {
			return nil
		}
		return s.query(ctx, partition, from, max, func(k key, a attributes) error {
			v, err := value(a)
			rows = append(rows, notary.Row{Partition: k.partition, Sort: k.sort, Value: v})
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// query calls f with at most max items of a partition from a sort key on, in
// order, read consistently, page by page. A page may be short or empty: only the
// absence of LastEvaluatedKey is the end.
func (s *Store) query(ctx context.Context, partition, from string, max int, f func(key, attributes) error) error {
	in := &dynamodb.QueryInput{TableName: &s.table, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String(PartitionKey + " = :p"),
		ExpressionAttributeValues: attributes{":p": &types.AttributeValueMemberS{Value: partition}}}
	if from != "" {
		in.KeyConditionExpression = aws.String(PartitionKey + " = :p AND " + SortKey + " >= :s")
		in.ExpressionAttributeValues[":s"] = &types.AttributeValueMemberS{Value: from}
	}
	for {
		if max < 1<<20 {
			in.Limit = aws.Int32(int32(max))
		}
		out, err := s.db.Query(ctx, in)
		if err != nil {
			return err
		}
		for _, a := range out.Items {
			k, err := keyOf(a)
			if err == nil {
				err = f(k, a)
			}
			if err != nil {
				return err
			}
			max--
		}
		if max <= 0 || len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
