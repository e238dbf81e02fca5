package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/onaws"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// smokePatience is for the rule, which seals every minute, and a cold start.
const smokePatience = 5 * time.Minute

// smoke asks a deployed stack for what no emulator can show, and says in words what
// it found: the log bucket's lock; what the policies in force deny, read back from
// S3 and KMS; that one statement goes all the way, with AWS's own permissions, keys
// and distribution; that what it left is locked; and that nobody's Put takes the
// place of it. It leaves a trial in the log, so it is for dev and local only.
func smoke(ctx context.Context, s *stage, outputs, keyFile string) error {
	if s.Prod() {
		return errors.New("smoke writes a trial into the log, for ever: it is for dev and local")
	}
	d, err := readDeployed(s, outputs)
	if err != nil {
		return err
	}
	clients, err := onaws.NewClients(ctx)
	if err != nil {
		return err
	}
	store := onaws.NewStore(clients, d.env)
	ctx, cancel := context.WithTimeout(ctx, smokePatience)
	defer cancel()
	if err := store.CheckLocks(ctx, s.Retention); err != nil {
		return err
	}
	fmt.Printf("ok    log bucket: every version is kept, and locked under COMPLIANCE for %v\n", s.Retention)
	if err := d.checkPolicies(ctx, clients); err != nil {
		return err
	}
	v, r, err := d.register(ctx, s, keyFile)
	if err != nil {
		return err
	}
	fmt.Printf("ok    registered, sealed and verified: log index %d, batch %d\n", v.Entry.Index, v.Entry.Batch)
	p, err := checkpoint.ParseProof(r.Proof)
	if err != nil {
		return err
	}
	c, err := checkpoint.Parse(p.Checkpoint)
	if err != nil {
		return err
	}
	names := []string{checkpoint.FinalName(c.Size), checkpoint.HeadName(v.Entry.Batch), checkpoint.SignedName(v.Entry.Batch)}
	for _, name := range names {
		if err := store.CheckLock(ctx, name, s.Retention); err != nil {
			return err
		}
		fmt.Println("ok    one version, COMPLIANCE until its date:", name)
		if err := store.Put(ctx, name, []byte("not this\n")); !errors.Is(err, notary.ErrDiffers) {
			return fmt.Errorf("another object was put under %s, or AWS did not say why not: %v", name, err)
		}
		fmt.Println("ok    no second version can be put:", name)
	}
	now, err := d.prove.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if latest, err := checkpoint.Parse(now); err != nil || latest.Size < c.Size {
		return fmt.Errorf("the public checkpoint is behind the receipt's: %v", err)
	}
	fmt.Println("ok    the public checkpoint covers it")
	return nil
}

// deployed is a stack that stands.
type deployed struct {
	env           onaws.Env
	submit, prove *client.Service
}

// readDeployed reads what `cdk deploy --outputs-file` wrote.
func readDeployed(s *stage, file string) (*deployed, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the outputs of the stack, as cdk deploy --outputs-file writes them: %w", err)
	}
	var all map[string]map[string]string
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	o := all["trialnotary-"+s.Name]
	if o == nil {
		return nil, fmt.Errorf("%s knows no stack trialnotary-%s", file, s.Name)
	}
	d := &deployed{env: onaws.Env{Origin: s.Origin, Table: o["Table"], LogBucket: o["LogBucket"],
		StateBucket: o["StateBucket"], SiteBucket: o["SiteBucket"], Retention: s.Retention}}
	for key := range strings.SplitSeq(o["SigningKeys"], ",") {
		if key = strings.TrimSpace(key); key != "" {
			d.env.SigningKeys = append(d.env.SigningKeys, key)
		}
	}
	submit, prove := o["SubmitUrl"], o["ProveUrl"]
	if site := o["SiteUrl"]; site != "" { // only the distribution may call the functions
		submit, prove = site, site
	}
	if d.submit, err = client.New(submit, client.Options{}); err != nil {
		return nil, err
	}
	d.prove, err = client.New(prove, client.Options{})
	return d, err
}

// register opens a trial whose name says what it is for, waits for its receipt and
// verifies it with the service's own trust file.
func (d *deployed) register(ctx context.Context, s *stage, keyFile string) (*receipt.Verdict, *receipt.Receipt, error) {
	fail := func(err error) (*receipt.Verdict, *receipt.Receipt, error) { return nil, nil, err }
	key, err := readKey(keyFile)
	if err != nil {
		return fail(err)
	}
	recovery, err := statement.GenerateKey("smoke.recovery")
	if err != nil {
		return fail(err)
	}
	trust, err := d.prove.Trust(ctx)
	if err != nil {
		return fail(err)
	}
	if origin := trust.Policy.Origin(); origin != s.Origin {
		return fail(fmt.Errorf("the service is the log %q, not %q", origin, s.Origin))
	}
	now := time.Now().UTC().Truncate(time.Second)
	reg := &statement.Statement{Log: s.Origin, Trial: now.Format("SMOKE-20060102T150405Z"), StreamName: statement.RegistrationStream,
		Kind: statement.KindRegistration, Time: now}
	rand.Read(reg.StreamSalt[:]) // never fails
	rand.Read(reg.Salt[:])
	var stream statement.StreamID
	rand.Read(stream[:])
	reg.Keys = []statement.Key{
		{Role: statement.RoleSponsor, Name: statement.TrialStream, Stream: stream, Key: key.Public()},
		{Role: statement.RoleRecovery, Name: statement.TrialStream, Stream: stream, Key: recovery.Public()},
	}
	n, err := statement.Sign(reg, key)
	if err != nil {
		return fail(err)
	}
	after, err := d.submit.Submit(ctx, n.Raw)
	if err != nil {
		return fail(err)
	}
	fmt.Println("ok    accepted; waiting for the rule to start the sealer")
	e, err := d.prove.Await(ctx, client.RefOf(n), after, nil)
	if err != nil {
		return fail(err)
	}
	r := &receipt.Receipt{Logged: receipt.Logged{Statement: n.Raw, Entry: e.Entry, Proof: e.Proof}, Timestamps: e.Timestamps}
	v, err := r.Verify(receipt.Options{Trust: trust, Trial: statement.TrialFingerprint(n.ID), Now: time.Now()})
	return v, r, err
}

// readKey opens a sponsor's key file that has no passphrase.
func readKey(file string) (statement.PrivateKey, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return statement.PrivateKey{}, fmt.Errorf("-key: the key file, without passphrase, of a sponsor of this stage: %w", err)
	}
	k, err := client.ParseKey(b)
	if err != nil {
		return statement.PrivateKey{}, fmt.Errorf("%s: %w", file, err)
	}
	return k.Open("")
}
