package mirror

import (
	"context"
	"errors"
	"fmt"

	"trialnotary/notary"
	"trialnotary/notary/text"
)

// A log changes its keys rarely: so often at most, and in so many bytes.
const (
	maxHandovers    = 64
	maxHandover     = 512 << 10
	handoverVersion = "trialnotary/retired@v1"
)

// handovers copies what the log says of changes of its keys. No checkpoint commits to
// these, so that nothing here can vouch for one: it is kept because it is written once,
// and another one of that name is refused.
func (u *update) handovers(ctx context.Context) error {
	for n := 1; n <= maxHandovers; n++ {
		name := fmt.Sprintf("handovers/%020d", n)
		b, err := u.Source.Object(ctx, name)
		if errors.Is(err, notary.ErrNotFound) {
			break
		} else if err != nil {
			return err
		}
		if _, err := text.ParseArchive(b, handoverVersion, maxHandover); err != nil {
			return refuse(name, "%v", err)
		}
		u.writer.add(name, b)
	}
	return u.flush()
}
