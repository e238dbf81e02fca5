package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"trialnotary/events"
)

// message is what a look has to tell, and with Alarm set, why it ended.
type message struct{ events.Watch }

// maxTold is how many entries one message holds: it stays below 20 KiB.
const maxTold = 40

// parts returns the message in parts that are small enough to be sent.
func (m message) parts() []message {
	all := []message{m}
	for len(all[len(all)-1].Data.Entries) > maxTold {
		last := &all[len(all)-1]
		next := *last
		next.Data.Entries = last.Data.Entries[maxTold:]
		last.Data.Entries = last.Data.Entries[:maxTold]
		all = append(all, next)
	}
	return all
}

// bytes returns the message and its id, which is the same whenever it is sent again.
func (m message) bytes() (id string, body []byte, err error) {
	body, err = json.Marshal(m.Watch)
	if err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(body)
	return "msg_" + hex.EncodeToString(sum[:16]), body, nil
}

// newMessage is a message of a kind about a log as it is at a size; time is the log's
// clock where there is one, so that a message sent again is the same.
func newMessage(kind, log string, batch, size uint64, at time.Time) message {
	return message{events.Watch{Type: kind, Timestamp: at.UTC().Truncate(time.Second),
		Data: events.Watched{Log: log, Batch: batch, Size: size, Entries: []events.WatchedEntry{}}}}
}
