package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/onaws"
	"trialnotary/notary/statement"
)

var update = flag.Bool("update", false, "record what functions ask of AWS, if stage local is up, and write the README's table anew")

// recorded is where the counts are kept from which the README's table is made.
const recorded = "testdata/asked.json"

// asked is what one event, or several, made a function ask of AWS.
type asked struct {
	onaws.Count
	Events       int
	Milliseconds int // here, on LocalStack
}

// costs are the events that the table is made of. All but audit are of processes
// that have had an event before.
type costs struct {
	Tick         asked // sealing when nothing waits
	Audit        asked // auditing when nothing is new
	Single       asked // submitting minute statements, each alone
	SealedSingle asked // and sealing these
	Bulk         asked // submitting bulk statements, 256 at a time
	SealedBulk   asked // and sealing these
	Receipt      asked // fetching one receipt
	AlarmMetrics int
}

const (
	minute = 23 // statements: a million a month
	bulk   = 5 * notary.MaxSubmission
)

// TestWhatFunctionsAsk counts what the deployed functions ask of AWS, in the SDK's own
// middleware, and compares it with what is recorded: the README's table is made of
// that, and is right as long as this is.
func TestWhatFunctionsAsk(t *testing.T) {
	d := up(t)
	d.needsHost(t) // their logs
	d.withoutRules(t)
	s := d.newStudy(t)
	d.configure(t, map[string]string{onaws.EnvMeter: "1"}, "Submit", "Seal", "Prove")
	took := func(function string, do func()) (a asked) {
		began := time.Now()
		do()
		for _, l := range d.log(t, function, began) {
			if l.Msg == "metered" {
				a.Add(onaws.Count{Calls: l.Calls, Units: l.Units})
				a.Events, a.Milliseconds = a.Events+1, a.Milliseconds+l.Milliseconds
			}
		}
		return a
	}
	submit := func(notes [][]byte, each int) func() {
		return func() {
			for some := range slices.Chunk(notes, each) {
				s.submit(t, some...)
			}
		}
	}
	last := s.datasets(t, 1)
	note, err := statement.Parse(last[0])
	if err != nil {
		t.Fatal(err)
	}
	receipt := func() { d.get(t, "/receipts/"+note.Stream().String()+"/"+note.ID.String()) }
	seal := func() {
		if err := d.seal(t.Context(), t); err != nil {
			t.Fatal(err)
		}
	}
	s.submit(t, last...)
	seal()
	receipt()
	d.auditorIsContent(t) // that nothing is new to the next one
	d.configure(t, map[string]string{onaws.EnvMeter: "1"}, "Audit")

	var c costs
	c.Tick = took("Seal", seal)
	c.Audit = took("Audit", func() { d.audit(t, "{}") })
	c.Single = took("Submit", submit(s.datasets(t, minute), 1))
	c.SealedSingle = took("Seal", seal)
	c.Bulk = took("Submit", submit(s.datasets(t, bulk), notary.MaxSubmission))
	c.SealedBulk = took("Seal", seal)
	c.Receipt = took("Prove", receipt)
	c.AlarmMetrics = d.alarmMetrics(t)
	s.sealedOnce(t)

	if *update {
		b, err := json.MarshalIndent(c, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recorded, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was := readCosts(t)
	if c.AlarmMetrics != was.AlarmMetrics {
		t.Errorf("%d metrics have alarms, %d are recorded", c.AlarmMetrics, was.AlarmMetrics)
	}
	for name, two := range map[string][2]asked{"tick": {c.Tick, was.Tick}, "audit": {c.Audit, was.Audit}, "single": {c.Single, was.Single},
		"sealed single": {c.SealedSingle, was.SealedSingle}, "bulk": {c.Bulk, was.Bulk}, "sealed bulk": {c.SealedBulk, was.SealedBulk}, "receipt": {c.Receipt, was.Receipt}} {
		now, then := two[0], two[1]
		t.Logf("%s, %d events in %d ms:\n%v", name, now.Events, now.Milliseconds, now)
		if now.Events != then.Events {
			t.Errorf("%s: %d events, %d are recorded", name, now.Events, then.Events)
		}
		for op := range union(now.Calls, then.Calls) {
			differ(t, name+": calls of "+op, float64(now.Calls[op]), float64(then.Calls[op]))
		}
		for op := range union(now.Units, then.Units) {
			differ(t, name+": units of "+op, now.Units[op], then.Units[op])
		}
	}
}

// differ fails where two counts are further apart than where in a tile a batch
// begins, how deep the map is, and a repeated call can make them.
func differ(t *testing.T, what string, now, then float64) {
	if math.Abs(now-then) > 4+then/50 {
		t.Errorf("%s: %.1f, and %.1f are recorded: go test ./localstack -run 'TestWhatFunctionsAsk|TestCostTable' -update", what, now, then)
	}
}

func union[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(b)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, a)
	return all
}

func readCosts(t *testing.T) (c costs) {
	t.Helper()
	b, err := os.ReadFile(recorded)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// alarmMetrics counts the metrics that the deployed alarms look at.
func (d *deployed) alarmMetrics(t *testing.T) (n int) {
	t.Helper()
	deployed, err := d.template()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range deployed.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		if len(r.Properties.Metrics) == 0 {
			n++
		}
		for _, m := range r.Properties.Metrics {
			if m.MetricStat != nil {
				n++
			}
		}
	}
	return n
}

// Prices in US dollars, us-east-1, as published in November 2026, of what the calls
// of AWS do not have in them.
const (
	priceRequest   = 0.2e-6       // of a function
	priceGBSecond  = 0.0000133334 // arm64
	priceLogged    = 0.50 / 1e9   // byte
	loggedPerEvent = 1500         // bytes: START, END, REPORT and our own
	priceKeyMonth  = 1.0          // and there are two
	priceAlarm     = 0.10         // a metric and month, beyond
	freeAlarms     = 10           // which every account has for ever
	hoursAMonth    = 730.0        //
	sealGB, urlGB  = 1.769, 0.5   // memory of seal and audit, and of submit and prove
	onAWSTwoKeys   = 2            // sign; stage local signs with one that is in KMS
)

// price is what events cost, by service.
type price struct{ DynamoDB, S3, Keys, Lambda float64 }

func (p price) sum() float64 { return p.DynamoDB + p.S3 + p.Keys + p.Lambda }

func (p price) times(n float64) price {
	return price{p.DynamoDB * n, p.S3 * n, p.Keys * n, p.Lambda * n}
}

func (p price) plus(q price) price {
	return price{p.DynamoDB + q.DynamoDB, p.S3 + q.S3, p.Keys + q.Keys, p.Lambda + q.Lambda}
}

// price of a's events in a function of that memory.
func (a asked) price(gb float64) price {
	of := func(service string) float64 {
		c := onaws.Count{Calls: maps.Clone(a.Calls), Units: a.Units}
		maps.DeleteFunc(c.Calls, func(op string, _ int) bool { return !strings.HasPrefix(op, service+" ") })
		if service != "DynamoDB" {
			c.Units = nil
		}
		return c.Dollars()
	}
	return price{of("DynamoDB"), of("S3"), onAWSTwoKeys*of("KMS") + of("EventBridge"),
		float64(a.Events)*(priceRequest+loggedPerEvent*priceLogged) + float64(a.Milliseconds)/1000*gb*priceGBSecond}
}

// TestCostTable makes the README's table of what is recorded, and holds the service
// to what it promises.
func TestCostTable(t *testing.T) {
	c := readCosts(t)
	single := c.Single.price(urlGB).plus(c.SealedSingle.price(sealGB)).times(1e6 / minute)
	many := c.Bulk.price(urlGB).plus(c.SealedBulk.price(sealGB)).times(1e6 / bulk)
	rest := c.Tick.price(sealGB).times(60 * hoursAMonth).plus(c.Audit.price(sealGB).times(hoursAMonth)).
		plus(c.SealedSingle.price(sealGB).times(hoursAMonth / 24)) // a heartbeat a day
	rest.Keys += 2 * priceKeyMonth
	rest.Lambda += priceAlarm * float64(max(0, c.AlarmMetrics-freeAlarms))
	var b strings.Builder
	b.WriteString("| US dollars | DynamoDB | S3 | KMS, events | Lambda, logs, alarms | together |\n|---|---|---|---|---|---|\n")
	for _, row := range []struct {
		what string
		price
	}{
		{"a month at rest", rest},
		{fmt.Sprintf("a million statements, each alone, %d a minute", minute), single},
		{"a million statements, 256 at a time", many},
		{"a million files, 1,000 in a dataset", single.times(1.0 / 1000)},
		{"a million receipts fetched", c.Receipt.price(urlGB).times(1e6)},
	} {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.2f | %.2f | **%.2f** |\n", row.what, row.DynamoDB, row.S3, row.Keys, row.Lambda, row.sum())
	}
	if rest.sum() > 3 {
		t.Errorf("a month at rest costs $%.2f, at most 3", rest.sum())
	}
	if many.sum() > 3.50 {
		t.Errorf("a million statements at 256 a time cost $%.2f, at most 3.50", many.sum())
	}
	t.Logf("\n%s", &b)

	name := filepath.Join("..", "README.md")
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- cost: go test ./localstack -run TestCostTable -update -->\n", "<!-- /cost -->\n"
	before, table, ok := strings.Cut(string(raw), begin)
	table, after, ok2 := strings.Cut(table, end)
	switch {
	case !ok || !ok2:
		t.Fatalf("the README has no place for the table of costs: %q to %q", begin, end)
	case table == b.String():
	case *update:
		if err := os.WriteFile(name, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the README's table of costs is not what is recorded:\n%s\ngo test ./localstack -run TestCostTable -update", table)
	}
}
