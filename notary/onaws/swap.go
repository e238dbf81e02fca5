package onaws

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trialnotary/notary"
)

// readBackPatience is for finding out what became of a call, also after its ctx
// has ended.
const readBackPatience = 5 * time.Second

var headKey = key{"HEAD", "LOG"}

// Head returns the head cell.
func (s *Store) Head(ctx context.Context) (head []byte, err error) {
	err = do(ctx, "head", func() error {
		a, err := s.getItem(ctx, headKey)
		if err == nil {
			head, err = value(a)
		}
		return err
	})
	return head, err
}

// SwapHead replaces the head cell: the commit of a batch.
func (s *Store) SwapHead(ctx context.Context, old, new []byte) error {
	return do(ctx, "swap head", func() error { return s.swap(ctx, headKey, old, new) })
}

// getItem reads an item consistently; nil if there is none. It is read as rows are,
// by BatchGetItem: a function needs no other action to read.
func (s *Store) getItem(ctx context.Context, k key) (attributes, error) {
	found, err := s.getItems(ctx, []key{k}, "")
	return found[k], err
}

// swap replaces the value under k. The item carries a token of this call, so that
// when the answer is lost, or a repetition finds the effect of the first try,
// reading back tells who wrote what is there: the bytes alone do not, because two
// callers may write the same.
func (s *Store) swap(ctx context.Context, k key, old, new []byte) error {
	if len(new) == 0 {
		return errors.New("the new bytes are empty")
	}
	token := newToken()
	put := &dynamodb.PutItemInput{TableName: &s.table, Item: s.item(k, new),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	put.Item[tokenAttribute] = binary(token)
	if err := s.expect(ctx, put, k, old); err != nil {
		return err
	}
	_, err := s.db.PutItem(ctx, put)
	if err == nil {
		return nil
	}
	var failed *types.ConditionalCheckFailedException
	conflict := errors.As(err, &failed)
	var now attributes
	if conflict && len(failed.Item) > 0 {
		now = failed.Item
	} else {
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackPatience)
		defer cancel()
		var readErr error
		if now, readErr = s.getItem(back, k); readErr != nil {
			return errors.Join(err, readErr) // nobody knows; the caller reads again
		}
	}
	switch {
	case bytes.Equal(bytesOf(now, tokenAttribute), token):
		return nil
	case conflict:
		return notary.ErrConflict
	}
	return err
}

// expect makes put conditional on old being there. A value that may be stored
// deflated is read first, because deflating it again may give other bytes.
func (s *Store) expect(ctx context.Context, put *dynamodb.PutItemInput, k key, old []byte) error {
	if len(old) == 0 {
		put.ConditionExpression = aws.String("attribute_not_exists(" + PartitionKey + ")")
		return nil
	}
	name, stored := valueAttribute, old
	if !k.fits(old) {
		a, err := s.getItem(ctx, k)
		if err != nil {
			return err
		}
		now, err := value(a)
		if err != nil {
			return err
		}
		if !bytes.Equal(now, old) {
			return notary.ErrConflict
		}
		if z := bytesOf(a, deflatedAttribute); z != nil {
			name, stored = deflatedAttribute, z
		}
	}
	put.ConditionExpression = aws.String("#value = :old")
	put.ExpressionAttributeNames = map[string]string{"#value": name}
	put.ExpressionAttributeValues = attributes{":old": binary(stored)}
	return nil
}

func newToken() []byte {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return b
}
