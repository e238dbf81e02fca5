package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"trialnotary/notary/client"
)

// The trial of the demo. No registry has given out a number near this one.
const (
	demoTrial  = "NCT99999999"
	demoOrigin = "demo.example/notary"
)

// story tells it from the first key to the altered receipt.
func (d *demo) story(ctx context.Context) error {
	if err := d.unpack(); err != nil {
		return err
	}
	d.done.Dir, d.done.Trial = d.dir, demoTrial
	d.shade("The story of one clinical trial, told with real commands", "1")
	d.say("Everything happens on this machine, in the folder %s; nothing leaves it. Each person has a folder of their own in it, named before the $ of their commands. It takes about ten seconds, most of them spent waiting for the notary, which seals once a second.", d.dir)
	d.say("Each command is followed by its own answer; where it only repeats what was seen before, by the first line and …")
	for i, chapter := range []struct {
		title string
		tell  func(context.Context) error
	}{
		{"A sponsor makes its keys", d.keys},
		{"An operator starts the notary", d.start},
		{"The sponsor registers the trial", d.registration},
		{"Two sites are enrolled", d.sites},
		{"The protocol is sealed, then the data, then the database lock", d.sealing},
		{"The notary is switched off", d.switchOff},
		{"An ethics board checks, with nothing but files", d.check},
		{"Somebody changes one letter", d.alterations},
	} {
		d.chapter(i+1, chapter.title)
		if err := chapter.tell(ctx); err != nil {
			return err
		}
	}
	return d.ending()
}

func (d *demo) keys(ctx context.Context) error {
	p := d.person(sponsor)
	d.say("A key signs what its holder says. The sponsor makes two: one for every day, and one that is put away, to take over if the first is lost. (Without --no-passphrase, keygen asks for a passphrase; real keys have one.)")
	if err := p.types(ctx, "keygen", "--name", "acme", "--out", "acme.key", "--no-passphrase"); err != nil {
		return err
	}
	return p.again(ctx, "keygen", "--name", "acme.recovery", "--out", "recovery.key", "--no-passphrase")
}

func (d *demo) start(ctx context.Context) error {
	if err := d.hand(sponsor, operator, "acme.key.pub"); err != nil {
		return err
	}
	d.say("The operator, here another company, runs the service, and admits the sponsor by the public half of its key. The service will never see any data, only short signed statements about them.")
	if err := d.serve(ctx, d.listen); err != nil {
		return err
	}
	d.done.Service, d.done.Trust = d.server.URL, d.server.Fingerprint()
	d.person(operator).prompt([]string{"serve", "--dir", "notary", "--origin", demoOrigin, "--sponsors", "acme.key.pub", "--listen", strings.TrimPrefix(d.server.URL, "http://")})
	var said strings.Builder
	d.server.introduce(&said)
	output, _, _ := strings.Cut(said.String(), "Next, ")
	d.answer(strings.ReplaceAll(output, filepath.Join(d.dir, operator)+string(filepath.Separator), ""))
	d.say("The trust file says which keys are this log's. Its fingerprint is what people compare: by telephone, in print, on the operator's page.")
	for _, who := range []string{sponsor, board} {
		if err := d.hand(filepath.Join(operator, "notary"), who, "log.trust"); err != nil {
			return err
		}
	}
	return nil
}

// serve starts the service, in this process.
func (d *demo) serve(ctx context.Context, listen string) (err error) {
	o := d.person(operator)
	d.server, err = startServer(ctx, serverConfig{dir: o.path("notary"), listen: listen, origin: demoOrigin,
		every: time.Second, sponsorsFile: o.path("acme.key.pub")})
	return err
}

// stop stops the service, if it runs.
func (d *demo) stop() error {
	if d.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownPatience)
	defer cancel()
	err := d.server.Close(ctx)
	d.server = nil
	return err
}

func (d *demo) registration(ctx context.Context) error {
	p := d.person(sponsor)
	d.say("The sponsor has compared the fingerprint, accepts the trust file, and registers the trial (the number is invented). The rules say in which order the trial promises to do things.")
	if err := p.again(ctx, "trust", "log.trust", "--fingerprint", d.done.Trust); err != nil {
		return err
	}
	if err := p.types(ctx, "register", demoTrial, "--recovery", "recovery.key.pub", "--key", "acme.key", "--service", d.done.Service,
		"--rule", "protocol before dataset", "--rule", "analysis-plan before database-lock", "--rule", "database-lock before unblinding",
		"--out", demoTrial+".trial"); err != nil {
		return err
	}
	t, err := client.ReadTrial(p.path(demoTrial + ".trial"))
	if err != nil {
		return err
	}
	d.done.Fingerprint = t.Fingerprint()
	return nil
}

func (d *demo) sites(ctx context.Context) error {
	d.say("Each site makes its own key and keeps it. The sponsor gets the public half, enrols it, and sends back an invite. The site compares the fingerprints with what it was told, and joins, once.")
	for i, site := range []struct{ name, key, person string }{
		{site701, "site-701.rossi", "Maria Rossi"},
		{site708, "site-708.chen", "David Chen"},
	} {
		_, key, _ := strings.Cut(site.key, ".")
		key += ".key"
		invite := site.name + ".invite"
		atSite, atSponsor := d.person(site.name), d.person(sponsor)
		show, showEnrol := atSite.again, atSponsor.again
		if i == 0 {
			show, showEnrol = atSite.types, atSponsor.types
		} else {
			d.say("The second site does the same.")
		}
		if err := atSite.again(ctx, "keygen", "--name", site.key, "--out", key, "--no-passphrase"); err != nil {
			return err
		}
		if err := d.hand(site.name, sponsor, key+".pub"); err != nil {
			return err
		}
		if err := showEnrol(ctx, "enrol", demoTrial+".trial", site.name, key+".pub", "--person", site.person, "--out", invite); err != nil {
			return err
		}
		if err := d.hand(sponsor, site.name, invite); err != nil {
			return err
		}
		if err := atSite.again(ctx, "trust", invite, "--fingerprint", d.done.Trust); err != nil {
			return err
		}
		if err := show(ctx, "join", invite, "--key", key, "--trial", d.done.Fingerprint); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) sealing(ctx context.Context) error {
	s, one, two := d.person(sponsor), d.person(site701), d.person(site708)
	d.say("Before any data exist, the sponsor seals the protocol and the analysis plan, in the trial's own stream.")
	if err := s.types(ctx, "seal", "protocol.txt", "--kind", "protocol", "--trial", demoTrial+".trial", "--out", "protocol"); err != nil {
		return err
	}
	if err := s.again(ctx, "seal", "analysis-plan.txt", "--kind", "analysis-plan", "--trial", demoTrial+".trial", "--out", "analysis-plan"); err != nil {
		return err
	}
	d.say("Months later in the story, site 701 seals an export: real tables of the CDISC pilot study, demographics and adverse events. The files stay where they are.")
	if err := one.types(ctx, "seal", "export", "--label", "Week 24", "--meaning", "authorship", "--out", "export"); err != nil {
		return err
	}
	d.say("Site 708 does not wait for its receipt, and fetches it afterwards.")
	if err := two.again(ctx, "seal", "export", "--label", "Week 24", "--meaning", "authorship", "--out", "export", "--no-wait"); err != nil {
		return err
	}
	if err := two.types(ctx, "receipt", "--wait"); err != nil {
		return err
	}
	d.say("The sponsor locks the database and seals the locked tables.")
	return s.again(ctx, "seal", "locked", "--kind", "database-lock", "--trial", demoTrial+".trial", "--out", "database-lock")
}

func (d *demo) switchOff(context.Context) error {
	if err := d.stop(); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	address := strings.TrimPrefix(d.done.Service, "http://")
	if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		c.Close()
		return fmt.Errorf("the service was stopped, and something still answers at %s", address)
	}
	d.say("The service is stopped: nothing answers at %s any more. Say the operator has gone out of business. Whoever holds a receipt does not need it.", d.done.Service)
	return nil
}

func (d *demo) check(ctx context.Context) error {
	if err := d.hand(sponsor, board, "protocol.receipt", "analysis-plan.receipt", "database-lock.receipt"); err != nil {
		return err
	}
	for _, sent := range [][2]string{
		{site701 + "/export.receipt", "site-701.receipt"},
		{site701 + "/export.manifest", "site-701.manifest"},
		{site701 + "/export", "site-701"},
		{site708 + "/export.receipt", "site-708.receipt"},
	} {
		if err := copyFiles(os.DirFS(d.dir), sent[0], filepath.Join(d.dir, board, sent[1])); err != nil {
			return err
		}
	}
	p := d.person(board)
	d.say("The board was sent every receipt and, of site 701, the data and their manifest too. It has compared the log's fingerprint with the one the operator publishes, and accepts the trust file by it. From here on, every command is a new process that needs no network.")
	if err := p.types(ctx, "trust", "log.trust", "--fingerprint", d.done.Trust); err != nil {
		return err
	}
	d.say("Are these the data that site 701 sealed? (The fingerprint of the trial stands in the sponsor's application to the board.)")
	if err := p.types(ctx, "verify", "site-701.receipt", "site-701", "--trial", d.done.Fingerprint); err != nil {
		return err
	}
	d.say("And in which order did it all happen? The index in the log tells, not anybody's clock.")
	if err := p.types(ctx, "verify", "."); err != nil {
		return err
	}
	return d.order(ctx)
}

// order finds out what came before what: from what a further process says.
func (d *demo) order(ctx context.Context) error {
	r, err := d.person(board).run(ctx, []string{"verify", ".", "--json"})
	if err != nil {
		return err
	}
	var table struct {
		Receipts []verdictOut `json:"receipts"`
	}
	if err := json.Unmarshal([]byte(r.Answer), &table); err != nil {
		return fmt.Errorf("what verify --json answered: %w", err)
	}
	at := map[string][]uint64{}
	for _, v := range table.Receipts {
		if v.Index == nil || v.Verdict != "verified" {
			return fmt.Errorf("%s did not verify", v.File)
		}
		d.done.Receipts = append(d.done.Receipts, demoReceipt{v.File, v.Verdict, v.Kind, v.Stream, *v.Index})
		at[v.Kind] = append(at[v.Kind], *v.Index)
	}
	if len(at["protocol"]) != 1 || len(at["analysis-plan"]) != 1 || len(at["dataset"]) != 2 || len(at["database-lock"]) != 1 {
		return fmt.Errorf("the board has %d receipts, and not those of one protocol, one analysis plan, two datasets and one database lock", len(table.Receipts))
	}
	protocol, plan, data, lock := at["protocol"][0], at["analysis-plan"][0], at["dataset"], at["database-lock"][0]
	if protocol > min(data[0], data[1]) || plan > lock || lock < max(data[0], data[1]) {
		return errors.New("the log has these statements in another order than they were sealed in")
	}
	d.say("The protocol has index %d, the data %d and %d, the lock %d: the protocol was there before any of these data, and the analysis plan (%d) before the lock. (The numbers between are the notary's own entries, one for each batch.) Each receipt carries the log's signature under its place: a log written anew would contradict all of them.",
		protocol, data[0], data[1], lock, plan)
	return nil
}

func (d *demo) alterations(ctx context.Context) error {
	p := d.person(board)
	if err := d.hand(board, filepath.Join(board, "altered"), "site-701", "site-701.receipt"); err != nil {
		return err
	}
	d.say("In a copy of site 701's adverse events, a nosebleed of subject CDISC003 that was serious (Y) becomes not serious (N). One byte of %s.", sizeOf(p.path("altered", "site-701", "ae.json")))
	if err := alter(p.path("altered", "site-701", "ae.json"), `"EPISTAXIS"`, `"MILD","Y"`, `"MILD","N"`); err != nil {
		return err
	}
	if err := p.expect(ctx, exitNotVerified, "verify", "site-701.receipt", "altered/site-701"); err != nil {
		return err
	}
	year := time.Now().UTC().Year()
	b, err := os.ReadFile(p.path("altered", "site-701.receipt"))
	if err != nil {
		return err
	}
	_, after, _ := strings.Cut(string(b), "\ntime ")
	if _, err := fmt.Sscanf(after, "%4d-", &year); err != nil {
		return fmt.Errorf("the receipt of site 701 has no time: %w", err)
	}
	earlier := year - 1
	if year%10 == 0 {
		earlier = year + 1 // one byte is to change
	}
	d.say("Or somebody changes the receipt, also by one byte: the statement is to be of %d, not %d.", earlier, year)
	if err := alter(p.path("altered", "site-701.receipt"), "\ntime ", fmt.Sprintf("time %d-", year), fmt.Sprintf("time %d-", earlier)); err != nil {
		return err
	}
	if err := p.expect(ctx, exitNotVerified, "verify", "altered/site-701.receipt"); err != nil {
		return err
	}
	d.say("Both were refused, with exit code 1, so that a script notices too.")
	return nil
}

func sizeOf(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return "the file"
	}
	return number(uint64(info.Size()))
}
