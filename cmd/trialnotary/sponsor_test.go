package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"trialnotary/notary/client"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// people DIR N LIST: makes the keys p1 to pN and the list that enrols each for a
// site of its own, as a spreadsheet of a country with decimal commas writes it.
func makePeople(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o700))
	list := "Person;Key;STREAM;until\n"
	for i := 1; i <= n; i++ {
		k, err := statement.GenerateKey(fmt.Sprintf("p%d", i))
		ts.Check(err)
		f, err := client.NewKey(k, "")
		ts.Check(err)
		b, err := f.Bytes()
		ts.Check(err)
		name := filepath.Join(ts.MkAbs(args[0]), k.Public().Name+".key")
		ts.Check(os.WriteFile(name, b, 0o600))
		ts.Check(os.WriteFile(name+".pub", []byte(k.Public().String()+"\n"), 0o644))
		list += fmt.Sprintf("\"Person %d, the first\";%s/%s.pub;site-%03d;2099-12-31\n", i, args[0], filepath.Base(name), i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(list+";;;\n"), 0o644))
}

// onebatch TRIAL N: the trial file holds N sealed statements of one batch.
func oneBatch(ts *testscript.TestScript, _ bool, args []string) {
	t, err := client.ParseTrial([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	batches := map[uint64]int{}
	for _, g := range t.Grants {
		e, err := entry.Parse(g.Entry)
		ts.Check(err)
		batches[e.Batch]++
	}
	var all []string
	for batch, n := range batches {
		all = append(all, fmt.Sprintf("batch %d: %d", batch, n))
	}
	if want := "batch " + fmt.Sprint(firstOf(batches)) + ": " + args[1]; strings.Join(all, ", ") != want {
		ts.Fatalf("%s, want all %s in one", strings.Join(all, ", "), args[1])
	}
}

func firstOf(m map[uint64]int) (first uint64) {
	for k := range m {
		if first == 0 || k < first {
			first = k
		}
	}
	return first
}

// setreceipt FILE NAME: sets a variable to the id of the statement of a receipt.
func setReceipt(ts *testscript.TestScript, _ bool, args []string) {
	r, err := receipt.Parse([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Setenv(args[1], statement.IDOf(r.Statement).String())
}

// append FILE TEXT: writes text behind what the file holds.
func appendTo(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteString(args[1])
	ts.Check(err)
	ts.Check(f.Close())
}
