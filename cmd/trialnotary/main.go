// Command trialnotary seals what a clinical trial produces and verifies what
// others sealed: the one binary that sites, sponsors, readers and operators use.
//
//	trialnotary seal DIR          at a site, after keygen and join
//	trialnotary verify RECEIPT    anywhere, offline
//	trialnotary serve --dir DIR   the service on one machine
//
// Exit codes: 0 verified or done, 1 NOT verified, 2 usage or bad input, 3 not yet,
// 4 the service could not be reached or refused, 5 consistent, but whose log this
// is is unconfirmed.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/inconshreveable/mousetrap"
	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:])) }

// run runs the program on the process's own streams and returns its exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cobra.MousetrapHelpText = "" // what a double click is told, we say ourselves
	click := clicked{mousetrap.StartedByExplorer(), os.Stdin, os.Stdout}
	defer click.end()
	args, ok := click.start(args)
	if !ok {
		return exitUsage
	}
	a := newApp()
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	return a.finish(cmd, err)
}
