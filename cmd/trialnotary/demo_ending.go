package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"trialnotary/notary/client"
)

// demoReadme lies in the folder of the demo.
const demoReadme = `What lies here

operator/       the notary: notary/ is all the service keeps, notary/log.trust
                its trust file
sponsor/        two keys, the trial file ` + demoTrial + `.trial (private), protocol
                and analysis plan, the locked tables, and a receipt of each
site-701/       key, invite, the data in export/, and their manifest (private: it
site-708/       stays with the data) and receipt (to show)
ethics-board/   what the board was sent: every receipt, the data of site 701 with
                their manifest, the trust file; in altered/ the two copies that
                were changed and refused

settings/ in each folder is what that person's join and trust remembered. The keys
have no passphrase because this is a demo. All of it can be deleted.
`

// ending says where everything lies and what to try.
func (d *demo) ending() error {
	if err := client.WriteNew(filepath.Join(d.dir, "README.txt"), []byte(demoReadme), client.Public); err != nil {
		return err
	}
	here, name, err := d.callable()
	if err != nil {
		return err
	}
	fmt.Fprintln(d.out)
	fmt.Fprintln(d.out)
	d.shade("That is all", "1;36")
	d.say("It took %s, and it is all in %s; README.txt there says what is what. Whoever has a receipt, the files with their manifest, and the trust file can check them in the same way, without asking anybody: next week, or in 25 years.", seconds(time.Since(d.begin)), d.dir)
	d.say("Now be the ethics board yourself. Verify; then change a letter of a file in site-701, and verify again:")
	d.try([]string{"cd", quote(filepath.Join(d.dir, board))},
		[]string{name, "verify", "site-701.receipt", "site-701", "--trust", "log.trust"},
		[]string{name, "inspect", "site-701.receipt"})
	if !d.keep {
		d.say("To seal files of your own, play it once more with a notary that goes on running:")
		d.try([]string{here, "demo", "--serve"})
	}
	return nil
}

// try shows commands to type, each in words as a shell takes them.
func (d *demo) try(lines ...[]string) {
	fmt.Fprintln(d.out)
	for _, words := range lines {
		d.command("  $", words)
	}
}

// keepServing starts the service again, if that is wanted, and serves until ctx
// ends.
func (d *demo) keepServing(ctx context.Context) error {
	if !d.keep {
		return nil
	}
	if err := d.serve(ctx, strings.TrimPrefix(d.done.Service, "http://")); err != nil {
		return fmt.Errorf("start the service again: %w", err)
	}
	_, name, err := d.callable()
	if err != nil {
		return errors.Join(err, d.stop())
	}
	fmt.Fprintln(d.out)
	fmt.Fprintln(d.out)
	d.shade("The notary runs again at "+d.server.URL+", until Ctrl-C", "1;36")
	d.say("In another terminal, be site 701: seal a file of your own, then verify it.")
	d.try([]string{"cd", quote(filepath.Join(d.dir, site701))},
		[]string{name, "seal", "FILE", "--invite", "site-701.invite", "--key", "rossi.key", "--out", "mine"},
		[]string{name, "verify", "mine.receipt", "FILE", "--trust", "../operator/notary/log.trust"})
	d.say("Or correct something in the site's export, and seal it in place of the first, saying why. The first stays in the log.")
	d.try([]string{name, "seal", "export", "--supersedes", "export.receipt", "--reason", "'two rows were missing'", "--invite", "site-701.invite", "--key", "rossi.key"})
	d.say("Look at the public log, in which no trial, site or person can be read:")
	d.try([]string{"curl", d.server.URL + "/checkpoint"})
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-d.server.failed:
	}
	if err := errors.Join(failed, d.stop()); err != nil {
		return err
	}
	d.say("Stopped; nothing was lost.")
	return nil
}

// onPath reports whether a name on the user's path is the file at name.
func onPath(command, name string) bool {
	found, err := exec.LookPath(command)
	if err != nil {
		return false
	}
	a, errA := os.Stat(found)
	b, errB := os.Stat(name)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func seconds(t time.Duration) string { return count(int(t.Round(time.Second)/time.Second), "second") }
