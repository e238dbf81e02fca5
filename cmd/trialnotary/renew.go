package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/receipt"
	"trialnotary/notary/timestamp"
)

// renewing is one call of renew.
type renewing struct {
	tsa    string
	within string
	period time.Duration
}

func (a *app) renewCommand() *cobra.Command {
	var o renewing
	c := &cobra.Command{
		Use:   "renew RECEIPT|DIR… --tsa URL",
		Short: "Stamp older time-stamps again, before what they rest on ends",
		Long: `Ask a time-stamping authority (RFC 3161) for a token over a whole receipt, its older
time-stamps among the rest, and add it: whatever of a certificate or an algorithm ends
after that, the older ones go on counting as of their own time. Of a directory, every
receipt below it is renewed that is due within the time given, as 'verify' tells, or
that has no time-stamp that counts.

The authority must be one of the trust file you accepted; what it answers is verified
before it is written, and nothing else in the receipt changes. It sees a hash alone.`,
		Example: `  trialnotary renew export.20261122T132900Z.receipt --tsa https://tsa.example/tsr
  trialnotary renew receipts/ --tsa https://tsa.example/tsr --within 730d`,
		Args: args(1, -1, "the receipt"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if o.tsa == "" {
				return usageError(c, "which time-stamping authority is to be asked? Name one of your trust file with --tsa or in TRIALNOTARY_TSA", "--tsa https://tsa.example/tsr")
			}
			if o.period, err = parsePeriod(o.within); err != nil {
				return err
			}
			return a.renew(c.Context(), args, o)
		},
	}
	c.Flags().StringVar(&o.tsa, "tsa", os.Getenv("TRIALNOTARY_TSA"), "`URL` of the authority (TRIALNOTARY_TSA)")
	c.Flags().Lookup("tsa").DefValue = ""
	c.Flags().StringVar(&o.within, "within", "365d", "renew what is to be renewed within this `TIME`: 90d, 52w")
	a.trustFlag(c, "that the time-stamps count under, instead of the one you accepted")
	return c
}

// renewed is what became of one receipt.
type renewed struct {
	Receipt string     `json:"receipt"`
	State   string     `json:"state"` // renewed, not due, failed
	By      *time.Time `json:"renew_by,omitempty"`
	Error   string     `json:"error,omitempty"`
	code    int
}

func (a *app) renew(ctx context.Context, paths []string, o renewing) error {
	files, err := below(paths, ".receipt")
	if err != nil {
		return err
	}
	var all []renewed
	for _, f := range files {
		all = append(all, a.renewOne(ctx, f, o))
	}
	s := &sheet{word: "RENEWED", head: count(len(all), "receipt")}
	n, code := 0, exitDone
	for _, r := range all {
		switch {
		case r.Error != "":
			s.add(r.State, "%s", r.Receipt)
			s.more("%s", r.Error)
			code = max(code, r.code)
		case r.By != nil:
			s.add(r.State, "%s, until %s", r.Receipt, day(*r.By))
		default:
			s.add(r.State, "%s", r.Receipt)
		}
		if r.State == "renewed" {
			n++
		}
	}
	if n == 0 {
		s.word = "NOTHING RENEWED"
	}
	if slices.ContainsFunc(all, func(r renewed) bool { return r.Error != "" }) {
		s.add("safe", "a receipt that was not renewed is as it was")
	}
	if all == nil {
		all = []renewed{}
	}
	if err := a.print(s, struct {
		Receipts []renewed `json:"receipts"`
	}{all}); err != nil {
		return err
	}
	if code != exitDone {
		return shown{code}
	}
	return nil
}

// renewOne renews one receipt, if it is due.
func (a *app) renewOne(ctx context.Context, file string, o renewing) renewed {
	r := renewed{Receipt: file, State: "not due"}
	failed := func(err error) renewed {
		r.State, r.Error, r.code = "failed", inWords(err), codeOf(err)
		return r
	}
	h, err := a.hold(file)
	if err != nil {
		return failed(err)
	}
	by := h.verdict.RenewBy(h.trust)
	if !by.IsZero() {
		r.By = &by
	}
	if !by.IsZero() && a.now().Add(o.period).Before(by) {
		return r
	}
	trusted, err := h.authorities()
	if err != nil {
		return failed(err)
	}
	authority, err := timestamp.NewAuthority(timestamp.Listed{Name: o.tsa, URL: o.tsa}, trusted, nil)
	if err != nil {
		return failed(&fault{code: exitUsage, err: err})
	}
	imprint, err := h.receipt.RenewalImprint()
	if err != nil {
		return failed(err)
	}
	token, err := authority.Stamp(ctx, imprint)
	switch {
	case errors.Is(err, timestamp.ErrAuthority), errors.Is(err, timestamp.ErrRevoked):
		return failed(&fault{code: exitNotVerified, err: err})
	case err != nil:
		return failed(&fault{code: exitService, err: err})
	}
	with := *h.receipt
	with.Renewals = append(slices.Clone(h.receipt.Renewals), token)
	v, err := with.Verify(receipt.Options{Trust: h.trust, Confirmed: true, Now: a.now()})
	if err == nil {
		err = v.Renewals[len(v.Renewals)-1].Err // such as an algorithm that has ended
	}
	if err != nil {
		return failed(&fault{code: exitNotVerified, err: fmt.Errorf("its time-stamp would not count: %w", err)})
	}
	if err := h.write(&with); err != nil {
		return failed(err)
	}
	// What is written is what counts now, and until when.
	if h, err = a.hold(file); err != nil {
		return failed(err)
	}
	by = h.verdict.RenewBy(h.trust)
	r.State, r.By = "renewed", &by
	return r
}
