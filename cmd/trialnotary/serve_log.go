package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/timestamp"
	"trialnotary/notary/witness"
)

// What is in DIR besides the store's own.
const (
	keysDir    = "keys"
	nextDir    = "keys.next" // while they are being changed
	ed25519Key = "log.ed25519.key"
	mldsaKey   = "log.ml-dsa-44.key"
	trustName  = "log.trust"
	sponsors   = "sponsors.txt"
	witnesses  = "witnesses.txt"
	tsaList    = "tsa.txt"
	tsaRoots   = "tsa.pem"
)

// madeUp begins the name of a log that nobody named.
const madeUp = "localhost/"

// logDir is an open log on this machine. The origin is remembered as the name of
// its keys, so that the two can never disagree.
type logDir struct {
	dir       string
	store     *ondisk.Store
	origin    string
	signers   []checkpoint.Signer
	policy    *checkpoint.Policy
	witnesses []notary.Witness
	stampers  []notary.Timestamper
	roots     []byte // certificates that their time-stamps are trusted under, as PEM
	created   bool   // its keys were made now
}

// openLog opens the log in dir. If there is none and create is set, it makes one
// of that origin ("": one is made up). origin must otherwise be "" or the log's.
func openLog(ctx context.Context, dir, origin string, create bool) (*logDir, error) {
	if origin != "" {
		if err := checkpoint.ValidOrigin(origin); err != nil {
			return nil, fmt.Errorf("the origin %q cannot name a log: %w", origin, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, nextDir)); err == nil {
		return nil, fmt.Errorf("a change of this log's keys was begun and is not finished. Nothing is lost; finish it: trialnotary rotate --dir %s", quote(dir))
	}
	if _, err := os.Stat(filepath.Join(dir, keysDir)); errors.Is(err, fs.ErrNotExist) && !create {
		return nil, fmt.Errorf("there is no log in %s: it has no folder %q", dir, keysDir)
	}
	store, err := ondisk.Open(dir)
	if err != nil {
		return nil, err
	}
	l := &logDir{dir: dir, store: store}
	if err := l.openKeys(ctx, origin, create); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return l, nil
}

func (l *logDir) openKeys(ctx context.Context, origin string, create bool) error {
	begun, err := l.begun(ctx)
	if err != nil {
		return err
	}
	create = create && !begun // another key would make another log
	if create {
		if err := os.Mkdir(filepath.Join(l.dir, keysDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := l.readKeys(keysDir, origin, create); err != nil {
		return err
	}
	l.policy, err = notary.WithHandovers(ctx, l.policy, l.store.Get)
	return err
}

// readKeys reads the log's keys in a folder, or makes them, and what the operator's
// file says about witnesses.
func (l *logDir) readKeys(folder, origin string, create bool) error {
	// A crash between the two keys leaves one: its name is the origin, and the
	// second is made by the next start.
	ed, err := l.key(filepath.Join(folder, ed25519Key), origin, create, checkpoint.GenerateEd25519)
	if err != nil {
		return err
	}
	ml, err := l.key(filepath.Join(folder, mldsaKey), ed.Name(), create, checkpoint.GenerateMLDSA44)
	if err != nil {
		return err
	}
	l.origin, l.signers = ed.Name(), []checkpoint.Signer{ed, ml}
	if err := l.readWitnesses(ed.VerifierKey(), ml.VerifierKey()); err != nil {
		return err
	}
	return l.readStampers()
}

// readWitnesses makes the publication policy of the log's own keys and of what
// the operator's file says about witnesses. The file need not be there.
func (l *logDir) readWitnesses(ed, ml string) error {
	name := filepath.Join(l.dir, witnesses)
	file, err := readOptional(name, checkpoint.MaxPolicySize)
	l.witnesses = nil
	var asked []checkpoint.Witness
	if err == nil {
		l.policy, asked, err = checkpoint.ParseWitnesses(ed, ml, file)
	}
	for _, w := range asked {
		var one *witness.Witness
		if one, err = witness.New(w, nil); err != nil {
			break
		}
		l.witnesses = append(l.witnesses, one)
	}
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was changed", name, err)
	}
	return nil
}

// readStampers reads whom the operator's files name to be asked for time-stamps, and
// under which certificates. Neither file need be there; certificates alone are for
// the trust file, so that older time-stamps go on counting.
func (l *logDir) readStampers() error {
	list, roots := filepath.Join(l.dir, tsaList), filepath.Join(l.dir, tsaRoots)
	file, err := readOptional(list, timestamp.MaxList)
	if err != nil {
		return err
	}
	if _, err := timestamp.ParseList(file); err != nil {
		return fmt.Errorf("%s: %w; nothing was changed", list, err)
	}
	pem, err := readOptional(roots, timestamp.MaxList)
	if err != nil {
		return err
	}
	if i := bytes.Index(pem, []byte("-----BEGIN")); i > 0 {
		pem = pem[i:] // what openssl prints for people
	}
	asked, trusted, err := timestamp.ParseAsked(append(append(file, '\n'), pem...))
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was changed", roots, err)
	}
	for _, a := range asked {
		l.stampers = append(l.stampers, a)
	}
	l.roots = trusted
	return nil
}

// readOptional reads a file of the operator's; one that is not there is empty.
func readOptional(name string, limit int64) ([]byte, error) {
	b, err := client.ReadFile(name, limit)
	if _, stat := os.Stat(name); errors.Is(stat, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// begun reports whether the log or its database holds a batch.
func (l *logDir) begun(ctx context.Context) (bool, error) {
	if h, err := l.store.Head(ctx); err != nil || h != nil {
		return h != nil, err
	}
	_, err := l.store.Get(ctx, checkpoint.HeadName(1))
	if errors.Is(err, notary.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// key reads a key of the log, by its name below dir, or makes it.
func (l *logDir) key(file, origin string, create bool, generate func(string) (checkpoint.Key, error)) (checkpoint.Key, error) {
	name := filepath.Join(l.dir, file)
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		if !create {
			return checkpoint.Key{}, fmt.Errorf("the log's key %s is missing: put it back from your copy. A new key would make another log; nothing was changed", name)
		}
		if origin == "" {
			origin = madeUp + strings.ToLower(rand.Text()[:10])
		}
		k, err := generate(origin)
		if err != nil {
			return checkpoint.Key{}, err
		}
		l.created = true
		return k, client.WriteNew(name, []byte(k.String()+"\n"), client.Private)
	}
	b, err := client.ReadFile(name, 64<<10)
	if err != nil {
		return checkpoint.Key{}, err
	}
	k, err := checkpoint.ParseSigner(strings.TrimSuffix(string(b), "\n"))
	if err != nil {
		return checkpoint.Key{}, fmt.Errorf("%s: %w", name, err)
	}
	if origin != "" && k.Name() != origin {
		return checkpoint.Key{}, fmt.Errorf("the log in %s is %q and stays so for ever; it cannot be served as %q. Leave --origin away, or give another --dir for another log", l.dir, k.Name(), origin)
	}
	return k, nil
}
