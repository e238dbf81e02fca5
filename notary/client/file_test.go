package client

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.key")
	if err := WriteNew(name, []byte("one\n"), Private); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := WriteNew(name, []byte("two\n"), Private); !errors.Is(err, ErrExists) {
		t.Errorf("over another file: %v", err)
	}
	// Nor through a link to nowhere, which a file could be made behind.
	link := filepath.Join(dir, "link")
	if os.Symlink(filepath.Join(dir, "nowhere"), link) == nil {
		if err := WriteNew(link, []byte("two\n"), Private); !errors.Is(err, ErrExists) {
			t.Errorf("through a link: %v", err)
		}
	}
	if err := WriteNew(filepath.Join(dir, "absent", "b"), nil, Private); err == nil {
		t.Error("into a directory that is not there: no error")
	}
	if b, _ := os.ReadFile(name); string(b) != "one\n" {
		t.Errorf("it holds %q", b)
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tmp") {
			t.Errorf("%s was left", e.Name())
		}
	}
}

// TestWriteNewRace: of many that write one name, one wins and the file is whole.
func TestWriteNewRace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a")
	var won sync.Map
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			text := strings.Repeat(string(rune('a'+i)), 100_000)
			if err := WriteNew(name, []byte(text), Public); err == nil {
				won.Store(text, true)
			} else if !errors.Is(err, ErrExists) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	won.Range(func(text, _ any) bool {
		n++
		if b, err := os.ReadFile(name); err != nil || string(b) != text {
			t.Error("the file is not the winner's", err)
		}
		return true
	})
	if n != 1 {
		t.Errorf("%d won", n)
	}
}

func TestReadFile(t *testing.T) {
	dir := plant(t, map[string]string{"a": "12345"})
	if _, err := ReadFile(dir, 10); err == nil {
		t.Error("a directory was read")
	}
	if _, err := ReadFile(filepath.Join(dir, "a"), 4); err == nil {
		t.Error("a file beyond the limit was read")
	}
	if b, err := ReadFile(filepath.Join(dir, "a"), 5); err != nil || string(b) != "12345" {
		t.Error(err)
	}
}

// TestUpdateTrial: twenty that change one file at once lose nothing, and the
// version before is kept.
func TestUpdateTrial(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.trial")
	b, err := sampleTrial(t).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteNew(name, b, Private); err != nil {
		t.Fatal(err)
	}
	m := Memory{filepath.Join(dir, "memory")}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := m.UpdateTrial(name, func(tr *Trial) error {
				tr.Streams = append(tr.Streams, Stream{"s" + strings.Repeat("x", i), [32]byte{1}})
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	tr, err := ReadTrial(name)
	if err != nil || len(tr.Streams) != 22 {
		t.Fatalf("%d streams, %v", len(tr.Streams), err)
	}
	if before, err := ReadTrial(name + ".previous"); err != nil || len(before.Streams) != 21 {
		t.Errorf("the version before: %v", err)
	}
	// A change that fails, or changes nothing, leaves the file alone.
	now, _ := os.ReadFile(name)
	broken := errors.New("broken")
	if _, err := m.UpdateTrial(name, func(tr *Trial) error { tr.Streams = nil; return broken }); err != broken {
		t.Error(err)
	}
	if _, err := m.UpdateTrial(name, func(tr *Trial) error { tr.Streams = nil; return nil }); err == nil {
		t.Error("a trial file that could not be read back was written")
	}
	if again, _ := os.ReadFile(name); string(again) != string(now) {
		t.Error("the file changed")
	}
	if err := Replace(name, b, []byte("x"), Private); err == nil {
		t.Error("a change by someone else was overwritten")
	}
}

func TestKey(t *testing.T) {
	k := testKey(t, "someone")
	for _, passphrase := range []string{"", "correct horse"} {
		f, err := NewKey(k, passphrase)
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if secret := strings.Contains(string(b), "PRIVATE"); secret != (passphrase == "") {
			t.Errorf("passphrase %q: the secret stands in the open: %v", passphrase, secret)
		}
		back, err := ParseKey(b)
		if err != nil || back.Public != k.Public() || back.Locked != (passphrase != "") {
			t.Fatalf("passphrase %q: %v", passphrase, err)
		}
		open, err := back.Open(passphrase)
		if err != nil || open.String() != k.String() {
			t.Errorf("passphrase %q: %v", passphrase, err)
		}
		if passphrase == "" {
			continue
		}
		for _, wrong := range []string{"", "correct horsf"} {
			if _, err := back.Open(wrong); !errors.Is(err, ErrPassphrase) {
				t.Errorf("the wrong passphrase %q: %v", wrong, err)
			}
		}
		// The public half is not what the private one says.
		back.Public = testKey(t, "site-001.new").Public()
		if _, err := back.Open(passphrase); err == nil || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("another public half: %v", err)
		}
	}
}

func TestMemory(t *testing.T) {
	m := Memory{filepath.Join(t.TempDir(), "m")}
	if all, err := m.Joins(); err != nil || len(all) != 0 {
		t.Errorf("an empty memory: %d, %v", len(all), err)
	}
	if a, err := m.Accepted("log.example/trials"); a != nil || err != nil {
		t.Error("an empty memory:", a, err)
	}
	i := sampleInvite(t)
	for range 2 {
		if err := m.Join(i, "jane doe.key"); err != nil {
			t.Fatal(err)
		}
	}
	all, err := m.Joins()
	if err != nil || len(all) != 1 || !filepath.IsAbs(all[0].Key) || filepath.Base(all[0].Key) != "jane doe.key" {
		t.Fatalf("%+v, %v", all, err)
	}
	x, _ := all[0].Invite.Bytes()
	y, _ := i.Bytes()
	if string(x) != string(y) {
		t.Error("another invite is remembered")
	}
	if err := m.Forget(all[0]); err != nil {
		t.Error(err)
	}
	if err := m.Join(i, "a\nb"); err == nil {
		t.Error("a path that no line can hold is remembered")
	}
	if err := m.Sponsor(i.Registration.Note.ID, "acme.key"); err != nil {
		t.Error(err)
	}
	if k := m.SponsorKey(i.Registration.Note.ID); filepath.Base(k) != "acme.key" {
		t.Errorf("sponsor key %q", k)
	}
	if k := m.SponsorKey(statement.ID{}); k != "" {
		t.Errorf("the key of a trial never seen: %q", k)
	}
	if err := m.Accept(Accepted{"acme.trust", sampleNow, i.Trust}); err != nil {
		t.Fatal(err)
	}
	a, err := m.Accepted(i.Trust.Policy.Origin())
	if err != nil || a.Name != "acme.trust" || a.Trust.Fingerprint != i.Trust.Fingerprint {
		t.Errorf("%+v, %v", a, err)
	}
	// A newer one takes its place.
	less := &receipt.Trust{Policy: i.Trust.Policy}
	b, err := less.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if less, err = receipt.ParseTrust(b); err != nil {
		t.Fatal(err)
	}
	if err := m.Accept(Accepted{"new.trust", sampleNow, less}); err != nil {
		t.Fatal(err)
	}
	if a, err := m.Accepted(i.Trust.Policy.Origin()); err != nil || a.Trust.Fingerprint != less.Fingerprint {
		t.Errorf("%+v, %v", a, err)
	}
}
