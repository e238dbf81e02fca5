// Command localstack starts the whole AWS shape of trialnotary on one machine, on
// LocalStack community 4.14.0, the last release that asks for no account:
//
//	go run ./localstack up      LocalStack, cdk bootstrap and deploy of stage local, a sponsor admitted
//	go run ./localstack test    the end-to-end tests against it
//	go run ./localstack down    stop it; the next up starts from nothing
//	go run ./localstack start   LocalStack alone, nothing deployed
//
// Where a Docker engine answers, LocalStack runs by compose.yaml. Elsewhere it runs
// in host mode, from its Python packages, with what it would download at run time
// put in place beforehand: DynamoDB Local from Maven Central (dynamodb.go), an
// execution environment of our own for functions (package init) and an executor
// that starts it as a process (executor/). Everything installed or written lies
// below one folder, by default trialnotary/localstack in the user's cache folder;
// after the first time no network is needed. Host mode needs Python 3.13,
// Java 17 or later, Maven (the first time) and Node; all listen on 127.0.0.1, but
// for DynamoDB Local, which knows no address to listen on and takes them all.
//
// What LocalStack cannot show: IAM is not enforced, KMS has P-256 but neither
// Ed25519 nor ML-DSA, CloudFront and HTTP APIs are only pretended. A stack with a
// part that was "deployed as a fallback" is an error here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

const usage = `usage: go run ./localstack [-dir DIR] [-port N] up|start|test|down

  up     LocalStack, with stage local deployed and a sponsor admitted
  start  LocalStack alone
  test   the end-to-end tests against what up deployed
  down   stop what up or start started

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "localstack:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("one verb is needed: up, start, test or down")

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("localstack", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage); flags.PrintDefaults() }
	dir := flags.String("dir", os.Getenv("TRIALNOTARY_LOCALSTACK_DIR"), "folder for all that is installed and written")
	port := flags.Int("port", defaultPort, "TCP port of the emulator; the service answers at the next one")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil || flags.NArg() != 1 {
		return errUsage
	}
	if *dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("find a folder to install into (give -dir): %w", err)
		}
		*dir = filepath.Join(cache, "trialnotary", "localstack")
	}
	p := place{dir: *dir, port: *port, out: out}
	switch flags.Arg(0) {
	case "up":
		return p.up(ctx)
	case "start":
		return p.start(ctx)
	case "test":
		return p.test(ctx)
	case "down":
		return p.down(ctx)
	case "front": // up starts it, in the background
		return p.serveFront(ctx)
	}
	return errUsage
}
