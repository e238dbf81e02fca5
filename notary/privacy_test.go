package notary_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// TestPublicLogNamesAndOpensNothing reads every name and byte of a public log:
// no word of any statement stands there, and no value found there, in any of its
// spellings, is or opens a private one.
func TestPublicLogNamesAndOpensNothing(t *testing.T) {
	dir := t.TempDir()
	store, err := ondisk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := newWorld(t, store)
	tr := w.newTrial("ACME-SECRET-7", statement.Also{Trial: "NCT01234567"})
	one := newKey(t, "ward7.jdoe")
	w.mustSubmit(tr.reg)
	w.mustDrain()
	w.mustSubmit(w.enrol(tr, w.sponsor, "ward-seven", one.Public(), func(s *statement.Statement) { s.Person = "Jane Doe" }))
	w.mustDrain()
	data := w.data(tr, "ward-seven", one, func(s *statement.Statement) {
		s.Label, s.Meaning, s.Signer, s.Reason = "blood-export week 47", "authorship", "Jane Doe", "monthly"
	})
	unseen := w.data(tr, "ward-seven", one, func(s *statement.Statement) { s.Label = "what nobody saw" })
	w.mustSubmit(data)
	if err := w.submitBlind(unseen, one); err != nil {
		t.Fatal(err)
	}
	w.accepts[refOf(unseen)] = unseen.Raw
	w.mustSubmit(w.revoke(tr, w.sponsor, "ward-seven", one.Public()))
	w.mustDrain()

	// Who read what is sealed, too, by the service itself.
	var private []string
	w.read(w.sponsor, data.Stream())
	w.anchored(w.svc)
	p, err := w.svc.Access(context.Background(), w.ask(w.sponsor), tr.stream, 1)
	if err != nil {
		t.Fatal(err)
	}
	a, err := text.ParseArchive(p.Body, notary.AccessVersion, 0)
	if err != nil || len(a.Parts) != 3 {
		t.Fatalf("%d parts of the trail, %v", len(a.Parts), err)
	}
	for _, part := range a.Parts {
		if n, err := statement.Parse(part.Data); err == nil {
			w.accepts[refOf(n)] = n.Raw
		} else {
			private = append(private, w.sponsor.Public().Fingerprint(), string(part.Data))
		}
	}
	w.check(store)

	// Everything private, word by word.
	notes := map[statement.ID][]byte{}
	for _, raw := range w.accepts {
		notes[statement.IDOf(raw)] = raw
		for _, line := range strings.Split(string(raw), "\n") {
			private = append(private, line)
			for _, word := range strings.Fields(line) {
				private = append(private, word)
			}
		}
	}
	ids := map[string]bool{}
	for ref := range w.accepts {
		ids[ref.Stream.String()], ids[ref.Statement.String()] = true, true
	}
	public := map[string]bool{"": true, "1": true, "12": true, origin: true, "—": true, "statement": true, "stream": true,
		"log": true, "log " + origin: true, "batch": true, "trial": true}
	for id := range ids {
		public[id] = true
	}

	values := map[string]bool{}
	word := regexp.MustCompile(`[A-Za-z0-9+/=._-]{4,}`)
	err = filepath.WalkDir(filepath.Join(dir, "log"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(filepath.Join(dir, "log"), path)
		seen := []byte(filepath.ToSlash(rel) + "\n")
		if !d.IsDir() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			seen = append(seen, b...)
			for from := 0; from+32 <= len(b) && strings.HasPrefix(rel, "tile"); from++ {
				values[string(b[from:from+32])] = true
			}
		}
		for _, p := range private {
			if len(p) >= 4 && !public[p] && bytes.Contains(seen, []byte(p)) {
				t.Errorf("%s holds %q", rel, p)
			}
		}
		for _, v := range word.FindAll(seen, -1) {
			values[string(v)] = true
			if b, err := base64.StdEncoding.DecodeString(string(v)); err == nil {
				values[string(b)] = true
			}
			if b, err := hex.DecodeString(string(v)); err == nil {
				values[string(b)] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(values) < 1000 {
		t.Fatalf("only %d values were found", len(values))
	}

	// No value is a salt, a root or a secret, nor is one a plain hash of what can be
	// guessed: a trial id, a stream name, a label, a person, a key.
	var secrets [][32]byte
	guess := []string{tr.id, "NCT01234567", "trial", "ward-seven", "ward7.jdoe", "blood-export week 47", "Jane Doe", "monthly",
		one.Public().String(), w.sponsor.Public().String(), w.recovery.Public().String(), "acme"}
	for _, g := range slices.Clone(guess) {
		guess = append(guess, g+"\n", tr.id+" "+g, origin+" "+g, strings.ToLower(g))
	}
	for _, g := range guess {
		secrets = append(secrets, sha256.Sum256([]byte(g)), sha256.Sum256(append([]byte{0}, g...)))
	}
	for _, raw := range notes {
		n, err := statement.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, n.Salt)
		if n.StreamSalt != ([32]byte{}) {
			secrets = append(secrets, n.StreamSalt)
		}
		if n.Dataset != nil {
			secrets = append(secrets, n.Dataset.Root)
		}
		// The text alone, without its signature, is not what the id commits to.
		secrets = append(secrets, sha256.Sum256(n.Signed.Text))
	}
	for _, s := range secrets {
		for _, spelling := range []string{string(s[:]), hex.EncodeToString(s[:]), base64.StdEncoding.EncodeToString(s[:])} {
			if values[spelling] {
				t.Errorf("a value of the public log is %x", s)
			}
		}
	}
	// Only the public id can be tested for, as the formats say; a guessed private one
	// cannot, with any value of the log as its salt.
	publicTest := statement.StreamIDOf(origin, "NCT01234567", "registration", [32]byte{})
	if !values[publicTest.String()] {
		t.Error("the public id cannot be tested for")
	}
	for v := range values {
		var salt [32]byte
		if len(v) != 32 {
			continue
		}
		copy(salt[:], v)
		for _, g := range []string{"registration", "trial", "ward-seven"} {
			if id := statement.StreamIDOf(origin, tr.id, g, salt); values[id.String()] || values[string(id[:])] {
				t.Fatalf("a value of the log is the salt of stream %s", g)
			}
		}
	}
}
