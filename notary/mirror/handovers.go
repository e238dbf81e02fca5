package mirror

import (
	"context"
	"errors"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
)

// maxHandovers is more often than a log changes its keys.
const maxHandovers = 64

// handovers copies what the log says of changes of its keys: each is signed by the new
// ones, and another one of that name is refused.
func (u *update) handovers(ctx context.Context) error {
	for n := 1; n <= maxHandovers; n++ {
		name := checkpoint.HandoverName(n)
		b, err := u.Source.Object(ctx, name)
		if errors.Is(err, notary.ErrNotFound) {
			break
		} else if err != nil {
			return err
		}
		if _, err := checkpoint.ParseHandoverObject(b); err != nil {
			return refuse(name, "%v", err)
		}
		u.writer.add(name, b)
	}
	return u.flush()
}
