// Package events is what crosses a process boundary: the messages, their JSON
// Schema, and recorded samples of them in testdata. It does nothing.
//
//	accepted       the answer 202 to a submission
//	batch sealed   on EventBridge, once or more for every published batch
//	alarm          on EventBridge, whenever somebody must look at the log
//
// The two that go to EventBridge are the `detail` of events with [Source] and a
// detail-type. A sponsor who wants to know of new batches subscribes to
//
//	{"source": ["trialnotary"], "detail-type": ["batch sealed"]}
//
// and reads the public log from there on. An event may come twice, late, or never:
// the log is the truth. No message holds a trial, a person, a label or a note;
// ids are in accepted alone, which goes to whoever submitted.
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
	Kind   string    `json:"kind"`   // forked, restored, unreadable, clock, witness, keys, audit, unlocked
	Object string    `json:"object"` // what it is about: an object's name, or a sentence
	Time   time.Time `json:"time"`
}

// The schemas (JSON Schema 2020-12).
var (
	//go:embed accepted.schema.json
	AcceptedSchema []byte
	//go:embed batch-sealed.schema.json
	BatchSealedSchema []byte
	//go:embed alarm.schema.json
	AlarmSchema []byte
)
