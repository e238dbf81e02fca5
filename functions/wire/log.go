package wire

import (
	"encoding/json"
	"io"
	"log/slog"
	"regexp"
	"time"
)

// newLog writes JSON lines. Whatever is logged, no whole id gets out.
func newLog(w io.Writer, function string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.StringValue(shorten(v.Error()))
		case string:
			a.Value = slog.StringValue(shorten(v))
		}
		return a
	}})).With("function", function)
}

// longHex finds whole ids. The names of log objects have 20 digits.
var longHex = regexp.MustCompile(`[0-9a-fA-F]{33,}`)

func shorten(s string) string {
	return longHex.ReplaceAllStringFunc(s, func(id string) string { return id[:8] + "…" })
}

// Metric is one number for CloudWatch. Unit is one of CloudWatch's: Seconds, Count.
type Metric struct {
	Name, Unit string
	Value      float64
}

// The metrics that alarms look at.
const (
	Namespace     = "trialnotary"
	SealAge       = "SealAge"       // Seconds since a round of sealing was finished
	OldestPending = "OldestPending" // Seconds that the oldest statement was waiting when a round began
	Forks         = "Forks"         // Count of rounds that found log and database to disagree
	AuditFailures = "AuditFailures" // Count of audits that found something wrong
	Entries       = "Entries"       // Count of statements sealed
	Refused       = "Refused"       // Count of statements refused at sealing
)

// Measure writes metrics as a line of the embedded metric format, which CloudWatch
// reads from the log.
func (a *App) Measure(metrics ...Metric) error {
	type definition struct{ Name, Unit string }
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	d := directive{Namespace, [][]string{{}}, nil}
	line := map[string]any{}
	for _, m := range metrics {
		d.Metrics = append(d.Metrics, definition{m.Name, m.Unit})
		line[m.Name] = m.Value
	}
	line["_aws"] = map[string]any{"Timestamp": time.Now().UnixMilli(), "CloudWatchMetrics": []directive{d}}
	return json.NewEncoder(a.Out).Encode(line)
}
