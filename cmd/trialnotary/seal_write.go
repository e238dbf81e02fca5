package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/inventory"
	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// choosePrefix returns a prefix under which nothing exists.
func (s *sealing) choosePrefix(now time.Time) (string, error) {
	taken := func(p string) string {
		for _, ext := range []string{".manifest", ".pending", ".receipt", sumsExt} {
			if exists(p+ext) == nil {
				return p + ext
			}
		}
		return ""
	}
	if s.out != "" {
		if t := taken(s.out); t != "" {
			return "", &fault{code: exitUsage, err: fmt.Errorf("%s: %w", t, client.ErrExists), safe: "Nothing was sealed.", do: "Choose another prefix with --out."}
		}
		return s.out, nil
	}
	at := now.UTC().Format("20060102T150405Z")
	base := s.kind + "." + at
	switch {
	case s.beside != "":
		base = s.beside + "." + at
	case len(s.paths) > 0:
		p := filepath.Clean(s.paths[0])
		if name := filepath.Base(p); name == "." || name == ".." {
			abs, err := filepath.Abs(p)
			if err != nil {
				return "", err
			}
			p = abs
		}
		if len(s.paths) > 1 {
			p = filepath.Join(filepath.Dir(p), "sealed")
		}
		base = p + "." + at
	}
	for n := 1; ; n++ {
		p := base
		if n > 1 {
			p = fmt.Sprintf("%s-%d", base, n)
		}
		if taken(p) == "" {
			return p, nil
		}
	}
}

// signStatement adds what is last, and signs. Nothing has been written so far.
func (a *app) signStatement(c *cobra.Command, s sealing, n *statement.Statement, key statement.PrivateKey, service string) (*client.Pending, error) {
	var after []byte
	if s.after {
		var err error
		if after, err = a.newest(c.Context(), service, s.from.trust, n); err != nil {
			return nil, kept(err, "Nothing was sealed.", "Without --after, sealing does not need the service before it submits.")
		}
	}
	n.Time, n.Salt = a.now().UTC().Truncate(time.Second), random()
	note, err := statement.Sign(n, key)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err, safe: "Nothing was sealed."}
	}
	return s.blindly(s.from.pending(note, after, service), key)
}

// newest fetches the newest final checkpoint, verifies it and names it in n.
func (a *app) newest(ctx context.Context, service string, trust *receipt.Trust, n *statement.Statement) ([]byte, error) {
	srv, err := client.New(service, a.options())
	if err != nil {
		return nil, err
	}
	b, err := srv.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	cp, err := checkpoint.Parse(b)
	if err != nil {
		return nil, err
	}
	if _, err := trust.Meets(cp, a.now()); err != nil {
		return nil, fmt.Errorf("the service's checkpoint does not verify: %w", err)
	}
	n.After = &statement.After{Size: cp.Size, Hash: sha256.Sum256(b)}
	return b, nil
}

// sumsExt ends the name of the list that sha256sum -c reads.
const sumsExt = ".SHA256SUMS"

// writeBeside writes the manifest, the sums where they are wanted, then the pending
// file, before anything is sent: from here on nothing can be lost. A default prefix
// that another seal of the same second has taken meanwhile is left to it.
func (s *sealing) writeBeside(m *manifest.Manifest, p *client.Pending, now time.Time) error {
	for {
		err := s.writeOnce(m, p)
		if err == nil {
			return nil
		}
		taken := s.prefix
		if errors.Is(err, client.ErrExists) && s.out == "" {
			if s.prefix, err = s.choosePrefix(now); err == nil && s.prefix != taken {
				continue
			}
		}
		return kept(err, "Nothing was sealed; your files are as they were.", "Make room there, or name another place with --out PREFIX.")
	}
}

func (s *sealing) writeOnce(m *manifest.Manifest, p *client.Pending) error {
	type file struct {
		ext  string
		data []byte
	}
	var files []file
	if m != nil {
		list, err := m.Bytes()
		if err != nil {
			return err
		}
		files = append(files, file{".manifest", list})
		if s.sums {
			files = append(files, file{sumsExt, s.sumsOf(m)})
		}
	}
	b, err := p.Bytes()
	if err != nil {
		return err
	}
	for i, f := range append(files, file{".pending", b}) {
		if err := client.WriteNew(s.prefix+f.ext, f.data, client.Private); err != nil {
			for _, mine := range files[:i] {
				os.Remove(s.prefix + mine.ext) // of nothing that was sealed
			}
			return err
		}
	}
	return nil
}

// sumsOf returns the lines of sha256sum for the files sealed, by their names from
// where the list is put.
func (s *sealing) sumsOf(m *manifest.Manifest) (b []byte) {
	dir, derr := filepath.Abs(filepath.Dir(s.prefix))
	for i := range m.Files {
		name := s.tree.Disk(m.Files[i].Path)
		if abs, err := filepath.Abs(name); err == nil && derr == nil {
			name = abs
			if rel, err := filepath.Rel(dir, abs); err == nil { // not on another drive
				name = rel
			}
		}
		b = inventory.AppendSum(b, m.Files[i].SHA256, filepath.ToSlash(name))
	}
	return b
}
