package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// Versions of what is remembered.
const (
	joinedVersion   = "trialnotary/joined@v1"
	acceptedVersion = "trialnotary/accepted@v1"
	sponsorVersion  = "trialnotary/sponsor@v1"
)

// Memory is a directory in which `join`, `register` and `trust` remember what they
// were told. Nothing in it is lost for good: all of it can be told again.
//
//	joined/<id>.joined      an invite and where its key is
//	sponsor/<id>.sponsor    where the key is that registered a trial
//	trust/<id>.accepted     a trust file that was accepted, one per log
//	lock/<id>               empty
type Memory struct{ Dir string }

// OpenMemory returns the memory in dir or, for "", in the user's own place for
// configuration. Nothing is created yet.
func OpenMemory(dir string) (Memory, error) {
	if dir != "" {
		return Memory{dir}, nil
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return Memory{}, fmt.Errorf("there is no place for configuration on this machine (%w); name one in TRIALNOTARY_CONFIG", err)
	}
	return Memory{filepath.Join(config, "trialnotary")}, nil
}

func (m Memory) path(kind, ext string, of ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(of, "\n")))
	return filepath.Join(m.Dir, kind, hex.EncodeToString(sum[:10])+ext)
}

// Joined is an invite that was checked, and its key file.
type Joined struct {
	Invite *Invite
	Key    string // path of the key file
	File   string // path of the memory itself
}

// Join remembers an invite with the absolute path of its key file.
func (m Memory) Join(i *Invite, key string) error {
	key, err := filepath.Abs(key)
	if err != nil {
		return err
	}
	w := writeProfile(joinedVersion, "key "+key)
	b, err := i.Bytes()
	if err != nil {
		return err
	}
	a, err := text.ParseArchive(b, InviteVersion, 0)
	if err != nil {
		return err
	}
	for _, p := range a.Parts {
		w.add("invite."+p.Name, p.Data) // containers do not nest
	}
	if b, err = w.bytes(); err != nil {
		return fmt.Errorf("remember %s: %w", text.Visible(key), err)
	}
	return put(m.path("joined", ".joined", i.StreamID().String(), i.Grant().Key.String()), b, Private)
}

// Joins returns what was joined, by trial and stream.
func (m Memory) Joins() ([]Joined, error) {
	names, err := m.list("joined", ".joined")
	var all []Joined
	for _, name := range names {
		j, err := readJoined(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w; remove it and run trialnotary join again", name, err)
		}
		j.Invite.Trust = m.Current(j.Invite.Trust)
		all = append(all, j)
	}
	slices.SortFunc(all, func(a, b Joined) int {
		return strings.Compare(a.Invite.Trial+"\n"+a.Invite.Stream, b.Invite.Trial+"\n"+b.Invite.Stream)
	})
	return all, err
}

func readJoined(name string) (Joined, error) {
	j := Joined{File: name}
	b, err := ReadFile(name, MaxProfile)
	if err != nil {
		return j, err
	}
	r := readProfile(b, joinedVersion, "what join remembered", func(t *text.Reader) { j.Key = t.Value("key") })
	in := text.Archive{Version: InviteVersion}
	for r.err == nil && len(r.left) > 0 {
		name := r.left[0].Name
		in.Parts = append(in.Parts, text.Part{Name: strings.TrimPrefix(name, "invite."), Data: r.take(name)})
	}
	if r.err != nil {
		return j, r.err
	}
	if b, err = in.Bytes(); err == nil {
		j.Invite, err = ParseInvite(b)
	}
	return j, err
}

// Forget removes a joined invite.
func (m Memory) Forget(j Joined) error { return os.Remove(j.File) }

// Sponsor remembers where the key is that registered a trial.
func (m Memory) Sponsor(registration statement.ID, key string) error {
	key, err := filepath.Abs(key)
	if err != nil {
		return err
	}
	b, err := writeProfile(sponsorVersion, "key "+key).bytes()
	if err != nil {
		return fmt.Errorf("remember %s: %w", text.Visible(key), err)
	}
	return put(m.path("sponsor", ".sponsor", registration.String()), b, Private)
}

// SponsorKey returns the path of the key that registered a trial, "" if unknown.
func (m Memory) SponsorKey(registration statement.ID) string {
	b, err := ReadFile(m.path("sponsor", ".sponsor", registration.String()), 1<<16)
	if err != nil {
		return ""
	}
	var key string
	if r := readProfile(b, sponsorVersion, "", func(t *text.Reader) { key = t.Value("key") }); r.err != nil {
		return ""
	}
	return key
}

// Accepted is a trust file that the user accepted.
type Accepted struct {
	Name  string // base name of the file it came in
	Time  time.Time
	Trust *receipt.Trust
}

// Accept remembers a trust file, in place of any earlier one of the same log.
func (m Memory) Accept(a Accepted) error {
	w := writeProfile(acceptedVersion, "name "+strings.TrimSpace(text.Visible(a.Name)), "time "+text.FormatTime(a.Time))
	w.trust(a.Trust)
	b, err := w.bytes()
	if err != nil {
		return err
	}
	return put(m.path("trust", ".accepted", a.Trust.Policy.Origin()), b, Private)
}

// Accepted returns the trust file accepted for a log, nil if there is none.
func (m Memory) Accepted(origin string) (*Accepted, error) {
	name := m.path("trust", ".accepted", origin)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: %s", name, cause(err))
	}
	a := &Accepted{}
	r := readProfile(b, acceptedVersion, "what trust remembered", func(t *text.Reader) {
		a.Name = t.Value("name")
		a.Time = t.Time("time")
	})
	a.Trust = r.trust()
	if err := r.done(b, func() ([]byte, error) { return b, nil }); err != nil {
		return nil, fmt.Errorf("%s: %w; remove it and accept the trust file again", name, err)
	}
	if a.Trust.Policy.Origin() != origin {
		return nil, fmt.Errorf("%s is not of the log it is named after; remove it and accept the trust file again", name)
	}
	return a, nil
}

// Current returns the trust file to use where a file of the user's carries t: one that
// was accepted since, if it names the keys of t as retired; or else t.
func (m Memory) Current(t *receipt.Trust) *receipt.Trust {
	a, err := m.Accepted(t.Policy.Origin())
	if err != nil || a == nil {
		return t
	}
	if sizes, _ := a.Trust.Policy.HandedOver(t.Policy.LogKeys()); len(sizes) > 0 {
		return a.Trust
	}
	return t
}

func (m Memory) list(kind, ext string) ([]string, error) {
	dir := filepath.Join(m.Dir, kind)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: %s", dir, cause(err))
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ext) && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil
}
