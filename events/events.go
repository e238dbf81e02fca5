// Package events is what crosses a process boundary: the messages, their JSON
// Schema, and recorded samples of them in testdata. It does nothing.
//
//	accepted       the answer 202 to a submission
//	batch sealed   on EventBridge, once or more for every published batch
//	alarm          on EventBridge, whenever somebody must look at the log
//	watch          to the webhook of who watches a stream, from their own machine
//
// The two that go to EventBridge are the `detail` of events with [Source] and a
// detail-type. A sponsor who wants to know of new batches subscribes to
//
//	{"source": ["trialnotary"], "detail-type": ["batch sealed"]}
//
// and reads the public log from there on. An event may come twice, late, or never:
// the log is the truth. No message holds a trial, a person, a label or a note;
// ids are in accepted alone, which goes to whoever submitted, and in
// watch, which goes where the owner of a stream sends it.
package events

import (
	_ "embed"
	"time"
)

// Source of all events, and the detail-types.
const (
	Source          = "trialnotary"
	TypeBatchSealed = "batch sealed"
	TypeAlarm       = "alarm"
)

// Accepted answers a submission: everything in it is durable.
type Accepted struct {
	Statements []AcceptedStatement `json:"statements"`
}

// AcceptedStatement says where one statement's receipt will be.
type AcceptedStatement struct {
	Stream    string `json:"stream"`    // id, 64 hexadecimal digits
	Statement string `json:"statement"` // id, 64 hexadecimal digits
	Receipt   string `json:"receipt"`   // path
}

// BatchSealed announces a published batch.
type BatchSealed struct {
	Origin  string    `json:"origin"`
	Batch   uint64    `json:"batch"`
	Size    uint64    `json:"size"` // of the tree after it
	Root    string    `json:"root"` // base64
	Time    time.Time `json:"time"` // the operator's clock at sealing, UTC, whole seconds
	Entries int       `json:"entries"`
	Refused int       `json:"refused"`
}

// Alarm says that somebody must look at the log.
type Alarm struct {
	Origin string    `json:"origin"`
	Kind   string    `json:"kind"`   // forked, restored, unreadable, clock, witness, keys, timestamp, audit, unlocked
	Object string    `json:"object"` // what it is about: an object's name, or a sentence
	Time   time.Time `json:"time"`
}

// The types of a message to a webhook, and who signed an entry.
const (
	TypeWatchEntries = "trialnotary.entries"
	TypeWatchAlarm   = "trialnotary.alarm"

	SignerYou     = "you"     // the watcher's own key, but no receipt of it is held
	SignerOther   = "other"   // another key in force
	SignerInvalid = "invalid" // no key in force: it counts for nothing
	SignerClosed  = "closed"  // the statement is not shown to the watcher's key
)

// Watch tells a webhook of entries that the watcher does not know, or that the log
// contradicts what was seen of it before. It is a payload of Standard Webhooks.
type Watch struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of the batch by the log's clock; of an alarm by the watcher's
	Data      Watched   `json:"data"`
}

// Watched is what Watch is about.
type Watched struct {
	Log     string         `json:"log"` // its origin
	Batch   uint64         `json:"batch"`
	Size    uint64         `json:"size"`
	Alarm   string         `json:"alarm"`   // shrunk, rewritten or unverified; "" for none
	Entries []WatchedEntry `json:"entries"` // at most 40
}

// WatchedEntry is one entry. The ids open nothing.
type WatchedEntry struct {
	Stream    string    `json:"stream"` // id
	Seq       uint64    `json:"seq"`
	Index     uint64    `json:"index"`
	Batch     uint64    `json:"batch"`
	Time      time.Time `json:"time"`      // of the batch, by the log's clock
	Statement string    `json:"statement"` // id
	Signer    string    `json:"signer"`
}

// The schemas (JSON Schema 2020-12).
var (
	//go:embed accepted.schema.json
	AcceptedSchema []byte
	//go:embed batch-sealed.schema.json
	BatchSealedSchema []byte
	//go:embed alarm.schema.json
	AlarmSchema []byte
	//go:embed watch.schema.json
	WatchSchema []byte
)
