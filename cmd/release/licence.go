package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"

	"trialnotary/notary/certificate"
)

func sortModules(all []module) {
	slices.SortFunc(all, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
}

// licenceFiles returns the licence and notice files at the top of a module.
func licenceFiles(m module) ([]string, error) {
	dir := m.Dir
	if m.Path == "std" {
		if _, err := os.Stat(filepath.Join(dir, "LICENSE")); err != nil {
			dir = filepath.Dir(dir) // as some systems package Go
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		stem, _, _ := strings.Cut(strings.ToUpper(e.Name()), ".")
		stem, _, _ = strings.Cut(stem, "-")
		if e.Type().IsRegular() && slices.Contains([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"}, stem) {
			all = append(all, filepath.Join(dir, e.Name()))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the module %s has no licence", m.Path)
	}
	return all, nil
}

// licencesOf returns the texts of all licences, one after the other.
func licencesOf(parts []module) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("trialnotary is made with the following works; these are their licences.\n")
	for _, m := range parts {
		files, err := licenceFiles(m)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, "\n%s\n%s %s: %s\n%[1]s\n\n%[5]s\n", strings.Repeat("=", 79), m.Path, m.Version, filepath.Base(f), bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
		}
	}
	fmt.Fprintf(&b, "\n%s\nThe fonts of certificates\n%[1]s\n\n%[2]s\n", strings.Repeat("=", 79), strings.TrimSpace(certificate.FontLicence()))
	return b.Bytes(), nil
}

// licenceIDs returns the SPDX names of a module's licences.
func licenceIDs(m module) ([]string, error) {
	files, err := licenceFiles(m)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for _, found := range licensecheck.Scan(text).Match {
			if !found.IsURL && !strings.Contains(found.ID, "Google") { // Go's grant of patents has no SPDX name
				ids = append(ids, found.ID)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
