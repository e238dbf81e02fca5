package onaws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// Announcer puts events on the account's default bus.
type Announcer struct{ client *eventbridge.Client }

// NewAnnouncer returns an Announcer over the configuration of c.
func NewAnnouncer(c *Clients) Announcer { return Announcer{eventbridge.NewFromConfig(c.Config)} }

// Announce puts one event. detail is marshalled to JSON.
func (a Announcer) Announce(ctx context.Context, source, detailType string, detail any) error {
	b, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("announce %s: %w", detailType, err)
	}
	out, err := a.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: &source, DetailType: &detailType, Detail: aws.String(string(b)), Time: aws.Time(time.Now())}}})
	if err == nil && out.FailedEntryCount > 0 {
		err = errors.New("the bus did not take it")
		if len(out.Entries) > 0 {
			err = fmt.Errorf("%w: %s: %s", err, aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
		}
	}
	if err != nil {
		return fmt.Errorf("announce %s: %w", detailType, err)
	}
	return nil
}
