package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"trialnotary/notary/receipt"
	"trialnotary/notary/share"
	"trialnotary/notary/statement"
)

// layersOf returns a zip's own bytes, and what is in each member, also within base64
// lines: all in which something could hide.
func layersOf(ts *testscript.TestScript, name string) (names []string, all [][]byte) {
	raw, err := os.ReadFile(ts.MkAbs(name))
	ts.Check(err)
	all = append(all, raw)
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	ts.Check(err)
	for _, f := range z.File {
		names = append(names, f.Name)
		rc, err := f.Open()
		ts.Check(err)
		b, err := io.ReadAll(rc)
		ts.Check(err)
		all = append(all, b)
		for _, word := range strings.Fields(string(b)) {
			if plain, err := base64.StdEncoding.DecodeString(word); err == nil {
				all = append(all, plain)
			}
		}
	}
	return names, all
}

// holds ZIP MEMBER…: it has these members, in this order.
func zipHolds(ts *testscript.TestScript, _ bool, args []string) {
	if got, _ := layersOf(ts, args[0]); !slices.Equal(got, args[1:]) {
		ts.Fatalf("%s holds %q", args[0], got)
	}
}

// holdsno ZIP TEXT…: it has none of these texts in any layer.
func zipHoldsNo(ts *testscript.TestScript, _ bool, args []string) {
	_, layers := layersOf(ts, args[0])
	for _, text := range args[1:] {
		for _, b := range layers {
			if bytes.Contains(b, []byte(text)) {
				ts.Fatalf("%s tells %q", args[0], text)
			}
		}
	}
}

var secretLines = regexp.MustCompile(`(?m)^(?:secret (.+)|(PRIVATE\+.+)|.*key (PRIVATE\+.+))$`)

// secrets ZIP FILE…: no secret line of these files is in any layer of the zip, as
// text or decoded; nor is a file as a whole.
func zipSecrets(ts *testscript.TestScript, _ bool, args []string) {
	_, layers := layersOf(ts, args[0])
	found := 0
	for _, name := range args[1:] {
		file := ts.ReadFile(name)
		hide := [][]byte{[]byte(file)}
		for _, m := range secretLines.FindAllStringSubmatch(file, -1) {
			found++
			s := m[1] + m[2] + m[3]
			hide = append(hide, []byte(s))
			if plain, err := base64.StdEncoding.DecodeString(s[strings.LastIndex(s, "+")+1:]); err == nil && len(plain) > 16 {
				hide = append(hide, plain)
			}
		}
		for _, h := range hide {
			for _, b := range layers {
				if bytes.Contains(b, h) {
					ts.Fatalf("%s tells what is in %s: %.60q", args[0], name, h)
				}
			}
		}
	}
	if found < 3 {
		ts.Fatalf("only %d secrets were found to look for", found)
	}
}

// unzip ZIP DIR
func unzip(ts *testscript.TestScript, _ bool, args []string) {
	z, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer z.Close()
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), z))
}

// certify PREFIX: puts a certificate beside a receipt.
func certify(ts *testscript.TestScript, _ bool, args []string) {
	r, _, err := receipt.ParseOuter([]byte(ts.ReadFile(args[0] + ".receipt")))
	ts.Check(err)
	n, err := statement.Parse(r.Statement)
	ts.Check(err)
	pdf := append([]byte("%PDF-1.7\n"), share.CertificateMark(n.ID)...)
	ts.Check(os.WriteFile(filepath.Clean(ts.MkAbs(args[0]+".pdf")), pdf, 0o644))
}

// retouch PDF OLD NEW OUT: writes other text of the same length on a page.
func retouch(ts *testscript.TestScript, _ bool, args []string) {
	wide := func(s string) string { // as a PDF's text has it, two bytes a character
		return "\x00" + strings.Join(strings.Split(s, ""), "\x00")
	}
	old := ts.ReadFile(args[0])
	changed := strings.ReplaceAll(old, wide(args[1]), wide(args[2]))
	if changed == old {
		ts.Fatalf("%s does not say %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), []byte(changed), 0o644))
}

// zip OUT MEMBER=FILE…: a zip as anybody makes one.
func zipUp(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, arg := range args[1:] {
		name, file, _ := strings.Cut(arg, "=")
		w, err := z.Create(name)
		ts.Check(err)
		_, err = io.WriteString(w, ts.ReadFile(file))
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}
