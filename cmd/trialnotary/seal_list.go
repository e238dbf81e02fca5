package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"trialnotary/notary/client"
	"trialnotary/notary/inventory"
	"trialnotary/notary/manifest"
)

// asFiles takes what is named for what it is, whatever it holds.
const asFiles = "files"

var asForms = []string{asFiles, string(inventory.Bag), string(inventory.Crate), string(inventory.Sums)}

// readList finds out whether what is named is somebody's list of files, reads it,
// and returns the paths to be scanned.
func (s *sealing) readList() ([]string, error) {
	form, err := s.form()
	if err != nil || form == "" {
		return s.paths, err
	}
	bad := func(err error) error {
		if form != inventory.Sums { // which names itself
			err = fmt.Errorf("%s: %w", s.paths[0], err)
		}
		return &fault{code: exitUsage, err: err, safe: "Nothing was sealed.",
			do: "Have the list put right. To seal what is there without any check of it: " + s.again("as", asFiles)}
	}
	if len(s.paths) != 1 {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("a list of files is sealed by itself, and %d paths are named", len(s.paths)), safe: "Nothing was sealed.",
			do: "One command for each; or, without any check of a list: " + s.again("as", asFiles)}
	}
	root := s.paths[0]
	if form == inventory.Sums {
		root = filepath.Dir(root)
	}
	switch dir := os.DirFS(root); form {
	case inventory.Bag:
		s.list, err = inventory.ReadBag(dir)
	case inventory.Crate:
		s.list, err = inventory.ReadCrate(dir)
	default:
		s.list, err = inventory.ReadSums(dir, filepath.Base(s.paths[0]))
	}
	if err != nil {
		return nil, bad(err)
	}
	return []string{root}, nil
}

// form returns what --as says, or what a path shows itself to be. Nothing is
// guessed: where two readings are possible, the commands for both are listed.
func (s *sealing) form() (inventory.Form, error) {
	if s.as != "" {
		if s.as == asFiles {
			return "", nil
		}
		return inventory.Form(s.as), nil
	}
	ambiguous := func(what string, forms ...string) error {
		var lines []string
		for _, f := range forms {
			lines = append(lines, s.again("as", f))
		}
		return &fault{code: exitUsage, err: fmt.Errorf("%s; type one of these:", what), list: lines, safe: "Nothing was sealed."}
	}
	for _, p := range s.paths {
		info, err := os.Stat(p)
		switch {
		case err != nil: // the scan says it better
		case info.IsDir():
			forms := inventory.Detect(os.DirFS(p))
			switch {
			case len(forms) > 1:
				return "", ambiguous(p+" is a BagIt bag by its bagit.txt and an RO-Crate by its metadata",
					string(inventory.Bag), string(inventory.Crate), asFiles)
			case len(forms) == 1:
				return forms[0], nil
			}
		case info.Mode().IsRegular() && len(s.paths) == 1:
			if inventory.LooksLikeSums(head(p)) {
				return "", ambiguous(p+" is a list of checksums: it could be sealed itself, or the files that it lists",
					string(inventory.Sums), asFiles)
			}
		}
	}
	return "", nil
}

// head returns how a regular file begins; of a pipe nothing is taken away.
func head(name string) []byte {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, 8<<10))
	return b
}

// skip says what is left out: what no list names, where there is one; otherwise
// what desktops leave behind.
func (s *sealing) skip() func(string, bool) bool {
	if s.list == nil {
		return client.Litter
	}
	return func(path string, dir bool) bool {
		if s.list.Leaves(path) {
			return true
		}
		_, listed := s.list.Find(path)
		return !listed && client.Litter(path, dir)
	}
}

// checkNames compares what is there with the list, before anything is read.
func (s *sealing) checkNames() error {
	if s.list == nil {
		return nil
	}
	here := map[string]uint64{}
	for path, size := range s.tree.All() {
		here[path] = size
	}
	return s.differs(s.list.Against(here))
}

// differs refuses what is not as listed, and says all of it.
func (s *sealing) differs(all []inventory.Difference) error {
	if len(all) == 0 {
		return nil
	}
	f := &fault{code: exitNotVerified, err: fmt.Errorf("%s is %s, and what is there differs from it in %s:", s.paths[0], s.list.Title, places(len(all))),
		safe: "Nothing was sealed; your files are as they were."}
	for i, d := range all {
		if i == 50 {
			f.list = append(f.list, fmt.Sprintf("and %s more", number(uint64(len(all)-i))))
			break
		}
		f.list = append(f.list, d.String())
	}
	f.do = "Have it put right, or made anew. To seal what is there without any check of the list: " + s.again("as", asFiles)
	return f
}

func places(n int) string {
	if n == 1 {
		return "one place"
	}
	return number(uint64(n)) + " places"
}

// hash reads the files, with a bar where someone watches, and compares them with
// the list, if there is one: the bytes that are sealed are the bytes compared.
func (a *app) hash(ctx context.Context, s *sealing) (*manifest.Manifest, error) {
	weak := 0
	if s.list != nil {
		// Before the files are hashed, which notices whatever changes from the scan on.
		n, bad, err := s.list.ReadWeak(ctx, func(path string) (io.ReadCloser, error) { return os.Open(s.tree.Disk(path)) })
		if err != nil {
			return nil, kept(err, "Nothing was sealed; your files are as they were.", "")
		}
		if err := s.differs(bad); err != nil {
			return nil, err
		}
		weak = n
	}
	show, done := a.progress("Hashing")
	m, err := s.tree.Hash(ctx, show)
	done()
	if err != nil || s.list == nil {
		return m, err
	}
	n, bad := s.list.Differ(m.Files)
	if err := s.differs(bad); err != nil {
		return nil, err
	}
	s.checked = s.compared(n, weak)
	return m, nil
}

// compared says what was checked and what could not be.
func (s *sealing) compared(strong, weak int) string {
	l := s.list
	var parts []string
	if strong > 0 {
		parts = append(parts, agreeing(strong, " its SHA-256 or SHA-512"))
	}
	if weak > 0 {
		parts = append(parts, agreeing(weak, " its MD5 or SHA-1, which show an accident but no forgery"))
	}
	if bare := l.Bare(); bare > 0 {
		parts = append(parts, count(bare, "file")+" there, but listed without a checksum")
	}
	if more := s.tree.Len() - strong - weak - l.Bare(); more > 0 {
		parts = append(parts, count(more, "file")+" that need not be listed")
	}
	return l.Title + ": " + strings.Join(append(parts, l.Notes...), "; ")
}

func agreeing(n int, with string) string {
	if n == 1 {
		return "1 file agrees with" + with
	}
	return number(uint64(n)) + " files agree each with" + with
}
