package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/receipt"
)

// rotateCommand gives a log new keys.
func rotateCommand() *cobra.Command {
	var dir string
	var stolen bool
	cmd := &cobra.Command{
		Use:   "rotate --dir DIR [--stolen]",
		Short: "Give the log new keys; old receipts go on verifying",
		Long: `Makes new keys for the log in DIR and hands it over to them: what is waiting is
sealed under the old keys first, then the old and the new keys sign the handover,
which is published with the log. From then on only the new keys sign. The new trust
file names both: the old keys count up to the size of the log at the change, so that
every receipt made until now goes on verifying. Stop the service first.

Give every user the new log.trust, and the new keys to every witness. Whoever
accepted the old trust file is shown by "trialnotary trust" that the keys which they
trusted signed the change.

With --stolen the old keys do not sign: what a thief can sign shows nothing. Users
are then warned and told to compare the fingerprint. Whoever has stolen keys can sign
other checkpoints up to that size, so trust what witnesses or time-stamps vouch for.

It can be interrupted at any point and run again: it then goes on where it was. The
old keys stay in DIR/keys.until-SIZE; keep or destroy them, the log never needs them.`,
		Example: `  trialnotary rotate --dir /srv/notary
  trialnotary rotate --dir /srv/notary --stolen`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usageError(cmd, "which log is to have new keys?", "--dir /srv/notary")
			}
			r, err := rotate(cmd.Context(), dir, stolen, func(string) error { return nil })
			if err != nil {
				return err
			}
			if r.already && stolen && r.crossed {
				return fmt.Errorf("no new keys were made: the log was handed over at size %s, and nothing was sealed since. If its keys of now are stolen: start the service until it has sealed, stop it, and run this again", number(r.done.Until))
			}
			return r.tell(cmd.OutOrStdout(), wantsJSON(cmd))
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory of the log, its keys and its database")
	cmd.Flags().BoolVar(&stolen, "stolen", false, "the old keys may be in other hands: they sign nothing any more")
	return cmd
}

// rotation is a change of a log's keys on the way.
type rotation struct {
	dir     string
	store   *ondisk.Store
	stolen  bool
	next    *logDir // under the new keys
	done    checkpoint.Retired
	crossed bool
	trust   *receipt.Trust
	already bool // the change was finished before, and no keys were made now
}

// rotate changes the keys of the log in dir. Each step can be repeated; done is called
// after each, and its error is a crash there.
func rotate(ctx context.Context, dir string, stolen bool, done func(step string) error) (r *rotation, err error) {
	if _, err := os.Stat(filepath.Join(dir, "db")); err != nil {
		return nil, fmt.Errorf("there is no log in %s: it has no folder %q", dir, "db")
	}
	store, err := ondisk.Open(dir) // nobody else has it open
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	r = &rotation{dir: dir, store: store, stolen: stolen, next: &logDir{dir: dir, store: store}}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"make", r.makeKeys}, {"hand over", r.handOver}, {"put away", r.putAway}, {"take", r.take}, {"trust", r.writeTrust},
	} {
		if err := step.run(ctx); err != nil {
			return nil, err
		}
		if err := done(step.name); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rotation) has(folder string) bool {
	_, err := os.Lstat(filepath.Join(r.dir, folder))
	return err == nil
}

// makeKeys makes the new keys, or reads those of a change that was begun. A crash
// leaves them in their folder, and the log as it was.
func (r *rotation) makeKeys(ctx context.Context) error {
	if !r.has(nextDir) {
		old := &logDir{dir: r.dir, store: r.store}
		if err := old.openKeys(ctx, "", false); err != nil {
			return err
		}
		// Nothing was sealed since the last change: it may have ended before its trust file.
		if now := old.policy.Retired(); len(now) > 0 {
			size, err := r.size(ctx)
			if err != nil {
				return err
			}
			if last := now[len(now)-1]; last.Until == size {
				r.next, r.done, r.already = old, last, true
				return nil
			}
		}
		if size, err := r.size(ctx); err != nil {
			return err
		} else if size == 0 {
			return fmt.Errorf("nothing was sealed in %s yet, so there is nothing to hand over: start with an empty directory instead", r.dir)
		}
		if err := os.Mkdir(filepath.Join(r.dir, nextDir), 0o700); err != nil {
			return err
		}
	}
	origin := ""
	if r.has(keysDir) {
		old := &logDir{dir: r.dir, store: r.store}
		if err := old.readKeys(keysDir, "", false); err != nil {
			return err
		}
		origin = old.origin
	}
	return r.next.readKeys(nextDir, origin, r.has(keysDir))
}

// size returns the size of the newest checkpoint.
func (r *rotation) size(ctx context.Context) (uint64, error) {
	b, err := r.store.Checkpoint(ctx)
	if err != nil || b == nil {
		return 0, err
	}
	c, err := checkpoint.Parse(b)
	return c.Size, err
}

// handOver seals what is waiting under the old keys, then records the change. After a
// crash the record is there, or nothing is; a service does not start either way.
func (r *rotation) handOver(ctx context.Context) error {
	if r.done.Until != 0 || !r.has(keysDir) {
		return nil
	}
	old := &logDir{dir: r.dir, store: r.store}
	if err := old.readKeys(keysDir, "", false); err != nil {
		return err
	}
	var err error
	r.done, err = notary.HandOver(ctx, r.store, notary.Config{Origin: old.origin, Signers: old.signers, Policy: old.policy, Witnesses: old.witnesses},
		r.next.signers, r.stolen)
	return err
}

// putAway moves the old keys out of the way. A crash after it leaves no keys but the
// new ones in their own folder.
func (r *rotation) putAway(ctx context.Context) error {
	policy, err := notary.WithHandovers(ctx, r.next.policy, r.store.Get)
	if err != nil {
		return err
	}
	r.next.policy = policy
	all := policy.Retired()
	if len(all) == 0 {
		return errors.New("the change of keys is not recorded; nothing was changed")
	}
	r.done = all[len(all)-1]
	if r.crossed, err = r.done.Handover.Verify(r.done); err != nil {
		return err
	}
	if !r.has(nextDir) || !r.has(keysDir) {
		return nil
	}
	return r.rename(keysDir, r.oldKeys())
}

func (r *rotation) oldKeys() string { return fmt.Sprintf("%s.until-%d", keysDir, r.done.Until) }

// take gives the new keys their place.
func (r *rotation) take(context.Context) error {
	if !r.has(nextDir) {
		return nil
	}
	return r.rename(nextDir, keysDir)
}

func (r *rotation) rename(from, to string) error {
	if r.has(to) {
		return fmt.Errorf("%s is in the way: move it elsewhere and run this again; nothing is lost", filepath.Join(r.dir, to))
	}
	if err := os.Rename(filepath.Join(r.dir, from), filepath.Join(r.dir, to)); err != nil {
		return err
	}
	return client.SyncDir(r.dir)
}

// writeTrust writes the trust file, with the sponsors and all else that the last one
// has, and keeps that as .previous. The next start does the same after a crash.
func (r *rotation) writeTrust(context.Context) error {
	name := filepath.Join(r.dir, trustName)
	old, err := os.ReadFile(name)
	t := &receipt.Trust{HasSponsors: true}
	if err == nil {
		t, err = receipt.ParseTrust(old)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w; the keys are changed, and the next start writes it anew", name, err)
	}
	t.Policy = r.next.policy
	raw, err := t.Bytes()
	if err != nil {
		return err
	}
	if r.trust, err = receipt.ParseTrust(raw); err != nil {
		return err
	}
	switch {
	case old == nil:
		return client.WriteNew(name, raw, client.Public)
	case bytes.Equal(old, raw):
		return nil
	}
	return client.Replace(name, old, raw, client.Public)
}

// tell says what was done and what is to be done now.
func (r *rotation) tell(out io.Writer, asJSON bool) error {
	keys := r.next.policy.LogKeys()
	if asJSON {
		return json.NewEncoder(out).Encode(struct {
			Log         string   `json:"log"`
			Size        uint64   `json:"size"`
			Crossed     bool     `json:"cross_signed"`
			Keys        []string `json:"log_keys"`
			Trust       string   `json:"trust"`
			Fingerprint string   `json:"trust_fingerprint"`
			Already     bool     `json:"already"` // changed before, and nothing sealed since
		}{r.next.origin, r.done.Until, r.crossed, keys, filepath.Join(r.dir, trustName), r.trust.Fingerprint, r.already})
	}
	by := "the old keys and the new ones signed the handover"
	if !r.crossed {
		by = "the old keys did NOT sign the handover: users are warned"
	}
	if r.already {
		fmt.Fprintln(out, "No keys were made now: nothing was sealed since the last change, which is this one.")
	}
	fmt.Fprintf(out, `The log %s has new keys since size %s.
  keys       %s and %s
             %s
  trust      %s
             fingerprint %s
Publish this fingerprint, give the trust file to everyone and the new keys to every
witness, then start the service again:
  trialnotary serve --dir %s
The old keys are in %s. The log never needs them again.
`, r.next.origin, number(r.done.Until), shortKey(keys[0]), shortKey(keys[1]), by, filepath.Join(r.dir, trustName), r.trust.Fingerprint,
		quote(r.dir), filepath.Join(r.dir, r.oldKeys()))
	return nil
}
