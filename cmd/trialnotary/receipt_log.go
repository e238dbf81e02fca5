package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"trialnotary/notary/client"
)

// completeFrom finishes one receipt from a copy of the log, without a service.
func (a *app) completeFrom(ctx context.Context, file string, log client.Log) outcome {
	o := outcome{File: file, State: "complete"}
	p, err := readPending(file)
	if err != nil {
		return o.failed(err)
	}
	o.Statement, o.About = p.Note.ID.String(), headOf(p.Note)
	prefix, ok := strings.CutSuffix(file, ".pending")
	if !ok {
		return o.failed(&fault{code: exitUsage, err: errors.New("its name does not end with .pending, so its receipt has no name")})
	}
	if err := a.finishFrom(ctx, p, prefix, log); err != nil {
		if _, none := errors.AsType[*client.NotInLog](err); none {
			err = &fault{code: exitPending, err: fmt.Errorf("%w, as %s has it: all entries were looked at, and none is of this statement", err, log.URL())}
		} else if _, soon := errors.AsType[*client.NotYet](err); soon {
			err = &fault{code: exitPending, err: fmt.Errorf("it is in the log, and no final checkpoint that %s has covers it", log.URL())}
		}
		o = o.failed(err)
		if o.code == exitPending {
			o.State = "pending"
		}
		return o
	}
	o.Receipt = prefix + ".receipt"
	return o
}

func (a *app) finishFrom(ctx context.Context, p *client.Pending, prefix string, log client.Log) error {
	c, err := client.NewCollector(ctx, log, p.Trust, a.now())
	if err != nil {
		return err
	}
	show, done := a.counter("Looked at")
	defer done()
	leaf, err := c.Find(ctx, client.RefOf(p.Note), func(n, of uint64) { show(int(n), int(of)) })
	if err != nil {
		return err
	}
	e, err := c.Evidence(ctx, leaf)
	if err != nil {
		return err
	}
	_, err = a.writeReceipt(p, e, prefix)
	return err
}
