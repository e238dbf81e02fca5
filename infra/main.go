// Command infra is trialnotary on AWS: the CDK app.
//
//	go run ./infra -stage local|dev|prod [-c key=value]…     writes cdk.out/
//	cdk deploy -c stage=dev [-c key=value]…                  deploys the same template
//	go run ./infra smoke -stage dev -outputs FILE -key FILE  asks what was deployed
//
// Every construct a reader would point at has a file: table, log bucket, state
// bucket, site bucket, signing keys, break glass, functions, roles, schedule,
// alarms, guard, cdn, replica. The tests name a property of the architecture each.
//
// It needs Go and Node. The zips of the functions are built here, from this
// module, to the same bytes by everyone with the same Go release.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "infra:", err)
		}
		jsii.Close()
		os.Exit(2)
	}
}

// run synthesises the stage that flags, or else the CDK's command line, name; or
// with `smoke` asks the stack of that stage.
func run(args []string) error {
	smoking := len(args) > 0 && args[0] == "smoke"
	if smoking {
		args = args[1:]
	}
	given := map[string]string{}
	flags := flag.NewFlagSet("infra", flag.ContinueOnError)
	stage := flags.String("stage", "", "local, dev or prod")
	out := flags.String("out", outdir(), "directory to write")
	flags.Func("c", "key=value: "+strings.Join(parameterNames(), ", "), func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%q is not key=value", s)
		}
		given[key] = value
		return nil
	})
	outputs := flags.String("outputs", "outputs.json", "smoke: what cdk deploy --outputs-file wrote")
	key := flags.String("key", "", "smoke: key file of a sponsor of the stage, without passphrase")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not understood", flags.Arg(0))
	}
	if *stage != "" {
		given["stage"] = *stage
	}
	for key := range given {
		if !isParameter(key) {
			return fmt.Errorf("-c %s: there is no such parameter; there are %s", key, strings.Join(parameterNames(), ", "))
		}
	}
	if smoking {
		s, err := readStage(func(key string) string { return given[key] })
		if err != nil {
			return err
		}
		return smoke(context.Background(), s, *outputs, *key)
	}
	if _, err := exec.LookPath("node"); err != nil {
		return errors.New("the CDK needs Node, and there is no node in PATH: install Node 20 or later")
	}
	app, err := newApp(*out)
	if err != nil {
		return err
	}
	p, err := readStage(func(key string) string {
		if value, ok := given[key]; ok {
			return value
		}
		value, _ := app.Node().TryGetContext(&key).(string)
		return value
	})
	if err != nil {
		return err
	}
	zips, err := buildZips("dist/functions", p.Machine)
	if err != nil {
		return err
	}
	newNotary(app, p, zips)
	app.Synth(nil)
	return nil
}

// outdir is where the CDK's command line wants the assembly, or cdk.out.
func outdir() string {
	if dir := os.Getenv("CDK_OUTDIR"); dir != "" {
		return dir
	}
	return "cdk.out"
}
