package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// npm's "latest" of aws-cdk is older than this one and rejects current assemblies.
	cdkVersion = "2.1148.1"
	stackName  = "trialnotary-local"
	sponsor    = "sponsor.local"
)

// outputs are what the stack tells of itself, and where the front is.
type outputs struct {
	SubmitUrl, ProveUrl                                    string
	Table, LogBucket, StateBucket, SiteBucket, SigningKeys string
}

// up starts LocalStack, deploys stage local with a new sponsor admitted, and says
// what to type next. Again, it deploys what has changed.
func (p place) up(ctx context.Context) error {
	if err := p.start(ctx); err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	vkey, err := p.seed(ctx, root)
	if err != nil {
		return err
	}
	if err := p.deploy(ctx, root, vkey); err != nil {
		return err
	}
	if err := p.reserve(ctx); err != nil {
		return err
	}
	o, err := p.outputs()
	if err != nil {
		return err
	}
	if err := p.startFront(ctx, o); err != nil {
		return err
	}
	p.next(o)
	return nil
}

// seed makes, once a run, the key of a sponsor, and returns its verifier key. The
// functions admit it by their environment.
func (p place) seed(ctx context.Context, root string) (string, error) {
	if err := p.build(ctx, "trialnotary", "./cmd/trialnotary"); err != nil {
		return "", err
	}
	key := p.run("sponsor.key")
	if _, err := os.Stat(key); errors.Is(err, os.ErrNotExist) {
		if err := p.step(ctx, root, nil, p.path("bin", "trialnotary"), "keygen", "--name", sponsor, "--no-passphrase", "--out", key); err != nil {
			return "", err
		}
	}
	vkey, err := os.ReadFile(key + ".pub")
	return strings.TrimSpace(string(vkey)), err
}

func (p place) deploy(ctx context.Context, root, vkey string) error {
	if err := p.installCDK(ctx); err != nil {
		return err
	}
	env := append(p.environ(), "CDK_DISABLE_CLI_TELEMETRY=true", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20", "NO_COLOR=1")
	cdk := func(args ...string) error {
		return p.step(ctx, root, env, p.path("cdk", "node_modules", ".bin", "cdk"), append(args,
			"--no-notices", "--output", p.run("cdk.out"), "-c", "stage=local", "-c", "sponsors="+vkey)...)
	}
	began := time.Now()
	if _, err := os.Stat(p.run("bootstrapped")); err != nil {
		p.say("cdk bootstrap")
		if err := cdk("bootstrap", "aws://"+account+"/"+region); err != nil {
			return err
		}
		if err := os.WriteFile(p.run("bootstrapped"), nil, 0o644); err != nil {
			return err
		}
	}
	p.say("cdk deploy %s: the functions are built first", stackName)
	err := cdk("deploy", stackName, "--require-approval", "never", "--outputs-file", p.run("outputs.json"))
	// The events tell why a deployment failed better than the CDK does.
	if told := p.inspectStack(ctx); err != nil || told != nil {
		return errors.Join(err, told)
	}
	p.say("deployed %s in %s", stackName, time.Since(began).Round(time.Second))
	return nil
}

func (p place) installCDK(ctx context.Context) error {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("the CDK needs Node: no %s on the PATH", program)
		}
	}
	dir := p.path("cdk")
	return p.once(dir, cdkVersion, "the CDK's command line "+cdkVersion, func() error {
		return p.step(ctx, dir, nil, "npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", dir, "aws-cdk@"+cdkVersion)
	})
}

// outputs reads what the last deployment said.
func (p place) outputs() (outputs, error) {
	b, err := os.ReadFile(p.run("outputs.json"))
	if err != nil {
		return outputs{}, fmt.Errorf("nothing is deployed yet: %w", err)
	}
	var all map[string]outputs
	if err := json.Unmarshal(b, &all); err != nil {
		return outputs{}, fmt.Errorf("%s: %w", p.run("outputs.json"), err)
	}
	o, ok := all[stackName]
	if !ok || o.SubmitUrl == "" || o.ProveUrl == "" {
		return outputs{}, fmt.Errorf("%s has no addresses of %s", p.run("outputs.json"), stackName)
	}
	return o, nil
}

// next prints what to type.
func (p place) next(o outputs) {
	p.say(`
The service answers at http://%[1]s, in front of
  submit %[2]s
  prove  %[3]s

To use it:
  alias trialnotary=%[6]s
  export TRIALNOTARY_SERVICE=http://%[1]s
  curl -s $TRIALNOTARY_SERVICE/trust > local.trust
  trialnotary trust local.trust
  trialnotary keygen --name recovery --out recovery.key
  trialnotary register NCT01234567 --key %[7]s --recovery recovery.key.pub --out my.trial
  trialnotary seal DIR --trial my.trial --key %[7]s

The rule seals every minute. To look behind it (table %[4]s, log bucket %[5]s):
  export %[8]s

go run ./localstack test tells the whole story; go run ./localstack down ends it.`,
		p.front(), o.SubmitUrl, o.ProveUrl, o.Table, o.LogBucket, p.path("bin", "trialnotary"), p.run("sponsor.key"), strings.Join(p.environ(), " "))
}
