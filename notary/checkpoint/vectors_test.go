package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trialnotary/notary/text"
)

// parsers by the first word of a vector's name: parse, and format what came out.
var parsers = map[string]func([]byte) ([]byte, error){
	"checkpoint": func(b []byte) ([]byte, error) {
		s, err := Parse(b)
		return s.format(), err
	},
	"head": func(b []byte) ([]byte, error) {
		h, err := ParseHead(b)
		return h.Bytes(), err
	},
	"proof": func(b []byte) ([]byte, error) {
		p, err := ParseProof(b)
		return p.Bytes(), err
	},
	"policy": func(b []byte) ([]byte, error) {
		p, err := ParsePolicy(b)
		if err != nil {
			return nil, err
		}
		return p.Bytes(), nil
	},
}

func parserOf(t testing.TB, name string) func([]byte) ([]byte, error) {
	t.Helper()
	kind, _, _ := strings.Cut(strings.TrimSuffix(name, ".txt"), "-")
	if parsers[kind] == nil {
		t.Fatalf("%s is a vector of no format", name)
	}
	return parsers[kind]
}

func TestGoodVectors(t *testing.T) {
	for name, b := range vectors(t, "good") {
		if back, err := parserOf(t, name)(b); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadVectors(t *testing.T) {
	var reasons map[string]string
	b, err := os.ReadFile("testdata/vectors/bad.json")
	if err == nil {
		err = json.Unmarshal(b, &reasons)
	}
	if err != nil {
		t.Fatal(err)
	}
	files := vectors(t, "bad")
	if len(files) != len(reasons) {
		t.Errorf("%d files, %d reasons", len(files), len(reasons))
	}
	for name, reason := range reasons {
		if _, err := parserOf(t, name)(files[name]); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s (%s): %v", name, reason, err)
		}
	}
}

func TestOversizedInputIsRefusedUnread(t *testing.T) {
	for _, kind := range []string{"checkpoint", "proof", "policy"} {
		if _, err := parsers[kind](bytes.Repeat([]byte("x\n"), MaxPolicySize)); err == nil || !strings.Contains(err.Error(), "bytes") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestLinesAloneAreReadAsAWitnessAnswersThem(t *testing.T) {
	s, err := Parse(vectors(t, "good")["checkpoint-final.txt"])
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for _, l := range s.Lines {
		all += l.String()
	}
	lines, err := ParseLines([]byte(all))
	if err != nil || len(lines) != 5 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	back, err := Signed{Checkpoint: s.Checkpoint}.With(lines...)
	if err != nil || !bytes.Equal(back.Raw, s.Raw) {
		t.Error(err)
	}
	for _, bad := range []string{"", "x\n", all + all, all + "\n", strings.TrimSuffix(all, "\n")} {
		if _, err := ParseLines([]byte(bad)); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzCheckpoint(f *testing.F) { fuzz(f, "checkpoint") }
func FuzzHead(f *testing.F)       { fuzz(f, "head") }
func FuzzProof(f *testing.F)      { fuzz(f, "proof") }
func FuzzPolicy(f *testing.F)     { fuzz(f, "policy") }

func fuzz(f *testing.F, kind string) {
	for _, dir := range []string{"good", "bad"} {
		for name, b := range vectors(f, dir) {
			if strings.HasPrefix(name, kind) {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if back, err := parsers[kind](b); err == nil && !bytes.Equal(back, b) {
			t.Errorf("other bytes come back:\n%q\n%q", b, back)
		}
	})
}

func vectors(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/vectors/" + dir + "/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no vectors", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = b
	}
	return files
}
