package wire

import (
	"context"
	"strings"
	"time"

	"trialnotary/events"
	"trialnotary/notary"
	"trialnotary/notary/onaws"
	"trialnotary/notary/text"
)

// announcePatience bounds an announcement: sealing does not wait for subscribers.
const announcePatience = 5 * time.Second

// AnnounceOnBus announces published batches and alarms on EventBridge. One that
// fails is logged and lost; the log is the truth.
func (a *App) AnnounceOnBus() {
	bus := onaws.NewAnnouncer(a.Clients)
	announce := func(detailType string, detail any) {
		ctx, cancel := context.WithTimeout(context.Background(), announcePatience)
		defer cancel()
		if err := bus.Announce(ctx, events.Source, detailType, detail); err != nil {
			a.Log.Warn("an announcement was lost; subscribers find the batch in the log", "error", err)
		}
	}
	a.Announce = func(s notary.Sealed) {
		announce(events.TypeBatchSealed, events.BatchSealed{Origin: a.Env.Origin, Batch: s.Batch, Size: s.Size,
			Root: text.Base64(s.Root[:]), Time: s.Time.UTC(), Entries: s.Entries, Refused: s.Refused})
	}
	a.Alarm = func(kind, object string) {
		announce(events.TypeAlarm, events.Alarm{Origin: a.Env.Origin, Kind: kind, Object: clip(shorten(object)), Time: time.Now().UTC().Truncate(time.Second)})
	}
}

// clip keeps what an alarm is about to one line of at most 500 characters.
func clip(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	return string(r[:min(len(r), 500)])
}
