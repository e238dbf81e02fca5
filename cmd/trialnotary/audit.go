package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/audit"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/text"
)

// auditing is one call of audit.
type auditing struct {
	target        string // URL or directory
	state, cosign string // files; "" for none
	out           string // of the cosignature
	signer        checkpoint.Signer
}

func (a *app) auditCommand() *cobra.Command {
	var v auditing
	c := &cobra.Command{
		Use:   "audit URL|DIR [--state FILE] [--cosign KEY]",
		Short: "Verify a whole log again, from what it publishes",
		Long: `Verify a whole log from its public objects alone: every entry, its place in its
stream, every batch, tile, map and checkpoint. The log is a service's address, a
mirror's, or a directory. With --state FILE the next audit goes on where this one
ended, or was stopped, and finds a log whose past is no longer what it was. A log
that signed two histories leaves a packet, which anyone checks with 'verify'.

With --cosign KEY, and if nothing is found, an auditor's signature on the newest
final checkpoint is written, for histories (history --auditor FILE). It says that
you recomputed all up to there; let that key sign nothing else.

Exit codes: 0 nothing found, 1 NOT verified, 3 stopped, or nothing is sealed yet, 4 the
log could not be read, 5 consistent, but whose log this is is unconfirmed.`,
		Example: `  trialnotary audit https://notary.example --state notary.audit
  trialnotary audit /srv/notary/log --trust acme.trust
  trialnotary audit https://notary.example --state notary.audit --cosign auditor.key`,
		Args: args(1, 1, "the address or the directory of the log"),
		RunE: func(c *cobra.Command, args []string) error {
			v.target = args[0]
			if v.out != "" && v.cosign == "" {
				return usageError(c, "--out names the cosignature, and --cosign KEY makes it", "--cosign auditor.key")
			}
			return a.audit(c, v)
		},
	}
	c.Flags().StringVar(&v.state, "state", "", "`FILE` of what this auditor saw last; FILE.seen stands beside it")
	c.Flags().StringVar(&v.cosign, "cosign", "", "sign the checkpoint as an auditor, with the key in this `FILE`")
	c.Flags().StringVar(&v.out, "out", "", "`FILE` of that signature, created; NAME.SIZE.checkpoint if not given")
	a.trustFlag(c, "to verify with, instead of the one you accepted")
	return c
}

// audited is the result of an audit.
type audited struct {
	origin   string
	report   *audit.Report
	findings audit.Findings
	trust    belief
	before   audit.Position // where the state was
	stopped  bool
	packet   string // the file of the equivocation, "" if there is none
	cosigned string // the file
}

func (r *audited) code() int {
	switch {
	case len(r.findings) > 0:
		return exitNotVerified
	case r.stopped || r.report.Final == nil:
		return exitPending
	case !r.trust.confirmed:
		return exitUnconfirmed
	}
	return exitDone
}

func (a *app) audit(c *cobra.Command, v auditing) error {
	log, service, err := a.publicLog(v.target)
	if err != nil {
		return err
	}
	// Who stops it waits for the batch under way, and not for a network that hangs.
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.Context()))
	defer cancel()
	defer context.AfterFunc(c.Context(), func() { time.AfterFunc(5*time.Second, cancel) })()
	memory, err := openAuditMemory(v.state)
	if err != nil {
		return err
	}
	defer memory.close()
	r := &audited{before: memory.state.Position, origin: memory.state.Origin}
	public, err := log.Read(ctx, "checkpoint")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unreadLog(err, memory)
	}
	if cp, err := checkpoint.Parse(public); err == nil {
		r.origin = cp.Origin
	}
	if r.trust, err = a.trustFor(ctx, v.target, r.origin, service, public); err != nil {
		return err
	}
	if v.cosign != "" {
		if v.signer, err = a.auditorKey(c, v, r.trust); err != nil {
			return err
		}
	}
	auditor := &audit.Auditor{Log: log, Seen: memory.seen, Ahead: true, Rereads: 2, Pause: 500 * time.Millisecond, Parallel: client.Parallel,
		Stop: func() bool { return c.Context().Err() != nil }}
	auditor.Own, auditor.Final = a.signatures(r.trust.trust, r.origin)
	auditor.Heads = headsOf(r.trust.trust)
	show, done := a.counter("Verified")
	r.report, err = auditor.Audit(ctx, memory.state, memory.save, func(size, of uint64) { show(int(size), int(of)) })
	done()
	switch {
	case errors.As(err, &r.findings):
	case errors.Is(err, audit.ErrState):
		return memory.unusable(err)
	case err != nil && c.Context().Err() != nil:
		return &fault{code: exitPending, err: errors.New("it was stopped"), safe: memory.safe(), do: memory.again()}
	case err != nil:
		return unreadLog(err, memory)
	}
	r.stopped = len(r.findings) == 0 && r.report.Final != nil && !r.report.Whole
	if r.report.Proof != nil && r.trust.trust != nil {
		if r.packet, err = writePacket(r.origin, r.report.Proof); err != nil {
			return err
		}
	}
	if v.signer != nil && r.code() == exitDone {
		if r.cosigned, err = writeCosignature(v, r.report.Final); err != nil {
			return err
		}
	}
	return a.showAudit(r, v, memory)
}

// publicLog returns the log at an address or in a directory, and the service if it is
// at an address.
func (a *app) publicLog(target string) (audit.Reader, *client.Service, error) {
	if strings.Contains(target, "://") {
		s, err := client.New(target, a.options())
		if err != nil {
			return nil, nil, &fault{code: exitUsage, err: err, safe: "Nothing was done."}
		}
		return publicObjects{s}, s, nil
	}
	info, err := os.Stat(target)
	if err != nil {
		f := &fault{code: exitUsage, err: client.Unreadable(target, err), safe: "Nothing was done."}
		if strings.Contains(target, ".") {
			f.do = "If it is an address, it begins with https://"
		}
		return nil, nil, f
	}
	if !info.IsDir() {
		return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("%s is a file, and a log is a directory or an address", target), safe: "Nothing was done.", do: "To check a file: trialnotary verify " + quote(target)}
	}
	// The directory of a service has its public part below log/.
	for _, dir := range []string{target, filepath.Join(target, "log")} {
		for _, part := range []string{"checkpoint", "tile", "heads"} {
			if _, err := os.Stat(filepath.Join(dir, part)); err == nil {
				return audit.Dir(dir), nil, nil
			}
		}
	}
	return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("there is no log in %s: no checkpoint, tile or heads", target), safe: "Nothing was done.", do: "Name the directory of a service (serve --dir) or of a mirror."}
}

// publicObjects is the public log at an address.
type publicObjects struct{ *client.Service }

// Read implements [audit.Reader].
func (p publicObjects) Read(ctx context.Context, name string) ([]byte, error) {
	b, err := p.Published(ctx, name)
	if errors.Is(err, client.ErrNoObject) {
		err = fs.ErrNotExist
	}
	return b, err
}

// trustFor returns the trust file of the visitor's own for that log; without one, what
// comes with the log, of which one that fits the checkpoint is taken.
func (a *app) trustFor(ctx context.Context, target, origin string, service *client.Service, public []byte) (belief, error) {
	dir := target
	if service != nil {
		dir = ""
	}
	all, err := a.believe(dir, origin)
	if err != nil {
		return belief{}, err
	}
	if service != nil && all[0].trust == nil {
		if t, err := service.Trust(ctx); err == nil && t.Policy.Origin() == origin {
			return belief{t, "its own trust file", "came from the service: not accepted by you", false}, nil
		}
	}
	for _, b := range all {
		if b.trust == nil {
			continue
		}
		own, _ := a.signatures(b.trust, origin)
		if cp, err := checkpoint.Parse(public); err == nil && own(cp) == nil {
			return b, nil
		}
	}
	return all[0], nil
}

// signatures returns what verifies the log's own signatures, and a final checkpoint's.
// Without a trust file nothing but the origin can be looked at.
func (a *app) signatures(t *receipt.Trust, origin string) (own, final func(checkpoint.Signed) error) {
	if t == nil {
		same := func(s checkpoint.Signed) error {
			if s.Origin != origin {
				return fmt.Errorf("%w: want one of %s", checkpoint.ErrOrigin, origin)
			}
			return nil
		}
		return same, same
	}
	// What the log signs itself, whatever witnesses there are.
	keys, err := t.Policy.Own()
	own = func(s checkpoint.Signed) error {
		if err != nil {
			return err
		}
		_, bad := keys.Verify(s, nil)
		return bad
	}
	final = func(s checkpoint.Signed) error { _, err := t.Meets(s, a.now()); return err }
	return own, final
}

// headsOf returns what the log was at each change of its keys, by a trust file.
func headsOf(t *receipt.Trust) (heads []checkpoint.Checkpoint) {
	if t == nil {
		return nil
	}
	for _, k := range t.Policy.Retired() {
		h := checkpoint.Checkpoint{Origin: t.Policy.Origin(), Size: k.Until}
		if k.Handover != nil {
			h.Root = k.Handover.Root
		}
		heads = append(heads, h)
	}
	return heads
}

// unreadLog is the error of a log that could not be read: no verdict on it.
func unreadLog(err error, k *auditMemory) error {
	f := &fault{code: exitService, err: fmt.Errorf("the log could not be read: %w", err), safe: "This says nothing about the log. " + k.safe(), do: k.again()}
	return f
}

// auditorKey returns the key to cosign with. It is asked for before the audit, which
// may take long.
func (a *app) auditorKey(c *cobra.Command, v auditing, b belief) (checkpoint.Signer, error) {
	if !b.confirmed {
		return nil, &fault{code: exitUsage, err: errors.New("an auditor signs for a log that it knows: there is no trust file of your own for this one"), safe: "Nothing was done.",
			do: "Get the operator's trust file by a way you trust, then: trialnotary trust FILE"}
	}
	raw, err := client.ReadFile(v.cosign, 1<<16)
	if err != nil {
		return nil, err
	}
	secret := strings.TrimSpace(string(raw))
	if !strings.HasPrefix(secret, "PRIVATE+KEY+") { // one of a witness's making has its key in the open
		file, err := a.readKey(c, v.cosign)
		if err != nil {
			return nil, err
		}
		k, err := a.openKey(file, v.cosign)
		if err != nil {
			return nil, err
		}
		secret = k.String()
	}
	k, err := checkpoint.ParseSigner(secret)
	switch {
	case err != nil:
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", v.cosign, err), safe: "Nothing was done."}
	case b.trust.Policy.Has(k.VerifierKey()):
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s is a key of the log or of one of its witnesses, and an auditor's is its own", k.Name()), safe: "Nothing was done.", do: "Make one: trialnotary keygen --name auditor.example --out auditor.key"}
	}
	return k, nil
}

func writeCosignature(v auditing, final *checkpoint.Signed) (string, error) {
	const no = "Nothing was found wrong with the log, and nothing was signed."
	signed, err := audit.Cosign(final, v.signer)
	if err != nil {
		return "", &fault{code: exitUsage, err: err, safe: no}
	}
	name := v.out
	if name == "" {
		name = fmt.Sprintf("%s.%d.checkpoint", v.signer.Name(), final.Size)
	}
	err = client.WriteNew(name, signed.Raw, client.Public)
	if errors.Is(err, client.ErrExists) && v.out == "" {
		// Of the same size and root: it says the same.
		if b, rerr := client.ReadFile(name, checkpoint.MaxSize); rerr == nil {
			if old, perr := checkpoint.Parse(b); perr == nil && old.Checkpoint == final.Checkpoint {
				if _, ours, serr := old.SignedBy(v.signer.VerifierKey()); serr == nil && ours {
					return name, nil
				}
			}
		}
	}
	if err != nil {
		return "", &fault{code: exitUsage, err: err, safe: no, do: "Name another file with --out."}
	}
	return name, nil
}

// writePacket writes an equivocation into the current directory.
func writePacket(origin string, e *audit.Equivocation) (string, error) {
	b, err := e.Bytes()
	if err != nil {
		return "", err
	}
	_, second := e.Checkpoints()
	plain := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, strings.ToLower(origin))
	name := fmt.Sprintf("%s.%d.equivocation", plain[:min(len(plain), 80)], second.Size)
	err = client.WriteNew(name, b, client.Public)
	if errors.Is(err, client.ErrExists) {
		if _, rerr := readEquivocation(name); rerr == nil {
			return name, nil // of an audit before this one
		}
	}
	if err != nil {
		return "", &fault{code: exitNotVerified, err: fmt.Errorf("the log signed two histories, and the proof could not be written: %w", err), safe: "Keep what the log shows now, and what you have of it from before.", do: "Run the same command where files can be made."}
	}
	return text.Visible(name), nil
}
