package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"trialnotary/notary"
)

type (
	readCell func(context.Context) ([]byte, error)
	swapCell func(ctx context.Context, old, new []byte) error
)

func testCell(t *testing.T, read readCell, swap swapCell) {
	ctx := t.Context()
	one, two := []byte("one\x00\xff"), bytes.Repeat([]byte("two"), 1000)
	wantError(t, swap(ctx, one, two), notary.ErrConflict)
	wantRefused(t, "an empty value", swap(ctx, nil, nil))
	b, err := read(ctx)
	wantNil(t, "after a lost swap", b, err)
	noError(t, swap(ctx, nil, one))
	b, err = read(ctx)
	wantBytes(t, "after the first swap", b, err, string(one))
	wantError(t, swap(ctx, nil, two), notary.ErrConflict)
	wantError(t, swap(ctx, two, one), notary.ErrConflict)
	wantError(t, swap(ctx, one[:4], two), notary.ErrConflict)
	wantRefused(t, "an empty value", swap(ctx, one, nil))
	noError(t, swap(ctx, one, two))
	wantError(t, swap(ctx, one, two), notary.ErrConflict)
	b, err = read(ctx)
	wantBytes(t, "after the second swap", b, err, string(two))
	noError(t, swap(ctx, two, two)) // no change is a change
}

func testCellOneWinner(t *testing.T, read readCell, swap swapCell) {
	ctx := t.Context()
	var old []byte
	for round := range 4 {
		content := func(i int) []byte { return fmt.Appendf(nil, "round %d caller %d", round, i) }
		winner := oneWinner(t, race(16, func(i int) error { return swap(ctx, old, content(i)) }), notary.ErrConflict)
		b, err := read(ctx)
		wantBytes(t, "the winner's", b, err, string(content(winner)))
		old = b
	}
	// A counter: every increment that is reported counts once.
	noError(t, swap(ctx, old, []byte{'|'}))
	const callers, each = 4, 5
	for _, err := range race(callers, func(int) error {
		for done := 0; done < each; {
			b, err := read(ctx)
			if err != nil {
				return err
			}
			switch err := swap(ctx, b, append(b, '.')); {
			case err == nil:
				done++
			case !errors.Is(err, notary.ErrConflict):
				return err
			}
		}
		return nil
	}) {
		noError(t, err)
	}
	b, err := read(ctx)
	wantBytes(t, "the counter", b, err, "|"+strings.Repeat(".", callers*each))
}
