package share

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func parse(b []byte) (*Share, error) { return Parse(bytes.NewReader(b), int64(len(b))) }

func TestWhatIsWrittenIsRead(t *testing.T) {
	s := &Share{Note: []byte("note\n"), Receipt: []byte("receipt\n"), Opening: []byte("opening\n"), Certificate: []byte("%PDF-")}
	b, err := s.Bytes(noon)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parse(b)
	if err != nil || string(got.Receipt) != "receipt\n" || string(got.Opening) != "opening\n" || string(got.Certificate) != "%PDF-" || got.Manifest != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	again, _ := s.Bytes(noon.In(time.FixedZone("elsewhere", 3600)))
	if !bytes.Equal(b, again) {
		t.Error("the same share has other bytes in another time zone")
	}
	// The bytes of version 1: another Go, or another machine, writes the same.
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:8]) != "ed95eb49504e6435" {
		t.Errorf("the bytes of a share have changed: %x", sum[:8])
	}
	for what, bad := range map[string]*Share{
		"no receipt":           {Note: []byte("x")},
		"opening and manifest": {Receipt: []byte("x"), Opening: []byte("x"), Manifest: []byte("x")},
		"a huge certificate":   {Receipt: []byte("x"), Certificate: make([]byte, 17<<20)},
	} {
		if _, err := bad.Bytes(noon); !errors.Is(err, ErrShare) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// packed makes a zip of headers and data.
func packed(t testing.TB, comment string, members ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		h := members[i].(zip.FileHeader)
		w, err := z.CreateHeader(&h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, members[i+1].(string)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.SetComment(comment), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func named(name string) zip.FileHeader { return zip.FileHeader{Name: name, Method: zip.Store} }

func TestHostileZipsAreRefusedWithTheirReason(t *testing.T) {
	good := packed(t, "", named(ReceiptName), "r\n")
	deflated := named(ReceiptName)
	deflated.Method = zip.Deflate
	if _, err := parse(packed(t, "", deflated, strings.Repeat("a line of a receipt\n", 100))); err != nil {
		t.Errorf("packed anew by someone: %v", err)
	}
	comment := named(ReceiptName)
	comment.Comment = "VERIFIED"
	link := named(ReceiptName)
	link.SetMode(fs.ModeSymlink | 0o777)
	patched := func(b []byte, old, new string, n int) []byte {
		return []byte(strings.Replace(string(b), old, new, n))
	}
	encrypted := bytes.Clone(good)
	dir := bytes.Index(encrypted, []byte("PK\x01\x02"))
	encrypted[dir+8] |= 1
	method := bytes.Clone(good)
	method[dir+10] = 99
	for _, c := range []struct {
		what string
		zip  []byte
		want string
	}{
		{"empty", nil, "does not begin as a zip"},
		{"cut off", good[:len(good)-1], "cut off"},
		{"begins otherwise", append([]byte("#!/bin/sh\n"), good...), "does not begin as a zip"},
		{"something after it", append(bytes.Clone(good), "PK\x03\x04 and more bytes, at the end"...), "other bytes at its end"},
		{"a comment", packed(t, "\x1b[2JVERIFIED", named(ReceiptName), "r"), "comment"},
		{"a member's comment", packed(t, "", comment, "r"), "evidence.receipt has a comment"},
		{"no receipt", packed(t, "", named(NoteName), "r"), "no evidence.receipt"},
		{"unknown member", packed(t, "", named(ReceiptName), "r", named("evil.exe"), "x"), `holds "evil.exe", which is no part`},
		{"upwards", packed(t, "", named("../evidence.receipt"), "r"), `"../evidence.receipt"`},
		{"absolute", packed(t, "", named("/evidence.receipt"), "r"), `"/evidence.receipt"`},
		{"backslash", packed(t, "", named(`..\evidence.receipt`), "r"), "no part of a share"},
		{"escape in a name", packed(t, "", named("\x1b[2Jx"), "r"), `<U+001B>`},
		{"a directory", packed(t, "", named("x/"), "", named(ReceiptName), "r"), `"x/"`},
		{"twice", packed(t, "", named(ReceiptName), "r", named(ReceiptName), "s"), "evidence.receipt twice"},
		{"a link", packed(t, "", link, "/etc/passwd"), "is no file"},
		{"encrypted", encrypted, "is encrypted"},
		{"another packing", method, "method 99"},
		{"both lists", packed(t, "", named(ReceiptName), "r", named(OpeningName), "o", named(ManifestName), "m"), "one of them"},
		{"six members", packed(t, "", named("1"), "", named("2"), "", named("3"), "", named("4"), "", named("5"), "", named("6"), ""), "more members"},
		{"too long a note", packed(t, "", named(ReceiptName), "r", named(NoteName), strings.Repeat("x", 64<<10+1)), "at most 65536 are allowed"},
		{"other bytes than the checksum", patched(good, "r\n", "s\n", 1), "cannot be unpacked"},
	} {
		_, err := parse(c.zip)
		if !errors.Is(err, ErrShare) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// A bomb is refused by what it says of itself, or read no further than that.
func TestBombsAreNotUnpacked(t *testing.T) {
	h := named(ReceiptName)
	manifest := named(ManifestName)
	manifest.Method = zip.Deflate
	honest := packed(t, "", h, "r", manifest, strings.Repeat("\x00", 32<<20))
	if _, err := parse(honest); !errors.Is(err, ErrShare) || !strings.Contains(err.Error(), "50 times its size") {
		t.Errorf("32 MiB of zeros: %v", err)
	}
	// One that says it is small.
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&h)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, "r")
	stream := bytes.Index(honest, []byte(ManifestName)) + len(ManifestName)
	body := honest[stream : stream+20_000]
	raw, err := z.CreateRaw(&zip.FileHeader{Name: ManifestName, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE([]byte("x")),
		CompressedSize64: uint64(len(body)), UncompressedSize64: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := parse(b.Bytes()); !errors.Is(err, ErrShare) || !strings.Contains(err.Error(), "cannot be unpacked") {
		t.Errorf("a lie about its size: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(packed(f, "", named(ReceiptName), "r\n", named(OpeningName), "o\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parse(b)
		if err != nil {
			if !errors.Is(err, ErrShare) {
				t.Fatal(err)
			}
			return
		}
		again, err := s.Bytes(noon)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parse(again); err != nil || !bytes.Equal(back.Receipt, s.Receipt) || !bytes.Equal(back.Opening, s.Opening) {
			t.Fatalf("%v", err)
		}
	})
}

func TestNoteTellsNoNameThatIsNotOpened(t *testing.T) {
	v := &receipt.Verdict{Registered: receipt.Registered{TrialFingerprint: "41B7-0000"}, Origin: "log.example",
		Note: &statement.Note{Statement: statement.Statement{Trial: "NCT01234567", StreamName: "site-042", Kind: statement.KindDataset, Label: "Week\u202e 12",
			Dataset: &statement.Dataset{Files: 3}}}}
	note := string(Note(v, []string{"dm.csv"}, false))
	for _, want := range []string{"NCT01234567", "41B7-0000", "Of 3 files sealed", "  dm.csv\n", "evidence.opening", "What it does not prove", "  3. "} {
		if !strings.Contains(note, want) {
			t.Errorf("the note has no %q", want)
		}
	}
	if strings.Contains(note, "\u202e") {
		t.Error("the note turns the direction of writing")
	}
	for line := range strings.SplitSeq(note, "\n") {
		if len(line) > 92 {
			t.Errorf("a line of %d bytes: %s", len(line), line)
		}
	}
	if whole := string(Note(v, nil, true)); !strings.Contains(whole, "evidence.manifest") || strings.Contains(whole, "evidence.opening") {
		t.Error("the note of the whole is about an opening")
	}
}
