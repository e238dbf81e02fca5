package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
)

func (a *app) receiptCommand() *cobra.Command {
	var wait bool
	var log string
	c := &cobra.Command{
		Use:   "receipt [FILE.pending|DIR]… [--log DIR|URL]",
		Short: "Complete receipts that are pending",
		Long: `Fetch what is missing for every pending file named, or below a directory (by default
this one), verify it, write the receipt and take the pending file away. What the
service does not know is submitted. It needs no key. Exit code 3: some are still
pending.

When the service is gone for good, --log names a copy of its log instead, a directory
or an address (trialnotary mirror makes one). The entry is looked for there, and the
proof made from the copy; the receipt is the one that the service would have given,
byte for byte.`,
		Example: `  trialnotary receipt
  trialnotary receipt export.20261122T132900Z.pending --wait
  trialnotary receipt . --log mirror`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.receipts(c, args, wait, log) },
	}
	c.Flags().BoolVar(&wait, "wait", false, "wait for those that are not sealed yet")
	c.Flags().StringVar(&log, "log", "", "a copy of the log, `DIR` or URL, to finish from instead of the service")
	a.serviceFlag(c, "the service, if not the one in the file")
	a.timeoutFlag(c)
	return c
}

func (a *app) receipts(c *cobra.Command, paths []string, wait bool, log string) error {
	var from client.Log
	if log != "" {
		if wait || c.Flags().Changed("service") {
			return usageError(c, "--log is for when no service is asked: it goes with neither --wait nor --service", "")
		}
		var err error
		if from, err = a.openLog(log); err != nil {
			return err
		}
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	files, err := below(paths, ".pending")
	if err != nil {
		return err
	}
	var all []outcome
	away := silent{}
	for _, f := range files {
		if from != nil {
			all = append(all, a.completeFrom(c.Context(), f, from))
			continue
		}
		all = append(all, a.complete(c, f, wait, away))
	}
	if len(all) == 0 {
		return a.print(&sheet{word: "NOTHING PENDING", head: names(paths)}, struct {
			Statements []outcome `json:"statements"`
		}{[]outcome{}})
	}
	next := "Later: trialnotary receipt " + strings.Join(quoted(paths), " ")
	if from != nil {
		next = "With a newer copy of the log, or one that is whole: trialnotary receipt " + strings.Join(quoted(paths), " ") + " --log " + quote(log)
	}
	return a.showOutcomes("RECEIPTS", all, next)
}

// silent are services that could not be reached, by address: they were asked often
// enough for one file, and are not asked again for the next hundred.
type silent map[string]error

// note remembers a service if it could not be reached.
func (m silent) note(s *client.Service, err error) {
	if u, ok := errors.AsType[*client.Unreachable](err); ok && u.Silent {
		m[s.URL()] = err
	}
}

// complete finishes one receipt, as far as the service has come.
func (a *app) complete(c *cobra.Command, file string, wait bool, away silent) outcome {
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
	s, err := a.dial(c, p.Service)
	if err == nil {
		err = away[s.URL()]
	}
	if err != nil {
		return o.failed(err)
	}
	ref := client.RefOf(p.Note)
	e, err := s.Evidence(c.Context(), ref)
	if errors.Is(err, client.ErrUnknown) {
		if _, err = s.Submit(c.Context(), p.Submission()); err == nil {
			err = &client.NotYet{}
		}
	}
	var not *client.NotYet
	if errors.As(err, &not) && wait {
		e, err = a.await(c.Context(), s, ref, not.After)
	}
	if errors.As(err, &not) {
		o.State, o.code = "pending", exitPending
		return o
	}
	away.note(s, err)
	if err == nil {
		_, err = a.writeReceipt(p, e, prefix)
	}
	if err != nil {
		return o.failed(err)
	}
	o.Receipt = prefix + ".receipt"
	return o
}

// below returns the files named, and those with the ending below directories
// named, in order.
func below(paths []string, ext string) ([]string, error) {
	var files []string
	for _, p := range paths {
		// A link that is named is followed; one that is found is not.
		if info, err := os.Lstat(p); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if real, err := filepath.EvalSymlinks(p); err == nil {
				p = real
			}
		}
		err := filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && name == p:
				return fmt.Errorf("%s cannot be found or read", p)
			case err != nil:
				return nil // what cannot be listed holds nothing for us
			case d.Type().IsRegular() && (name == p || strings.HasSuffix(name, ext)):
				files = append(files, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}
