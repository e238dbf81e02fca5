package kit

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func sample() *Kit {
	name, note := ReceiptName("site-042", 12, statement.KindDataset)
	return &Kit{Note: []byte("note\n"), Formats: []byte("formats\n"), Page: []byte("<html>"), Trust: []byte("trust\n"), TSA: []byte("pem\n"),
		Receipts:   []File{{Name: name, Data: []byte("receipt\n")}},
		Statements: []File{{Name: note, Data: []byte("statement\n")}},
		Histories:  []File{{Name: HistoryName("batch-00000003"), Data: []byte("history\n")}}}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	b, err := sample().Bytes(noon)
	if err != nil {
		t.Fatal(err)
	}
	k, err := Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.Bytes(noon.In(time.FixedZone("elsewhere", 3600)))
	if err != nil || !bytes.Equal(b, again) {
		t.Error("the same kit has other bytes")
	}
	if !Is(bytes.NewReader(b), int64(len(b))) || Is(strings.NewReader("PK\x03\x04"), 4) || string(k.TSA) != "pem\n" || len(k.Histories) != 1 {
		t.Errorf("%+v", k)
	}
	if StatementOf(k.Receipts[0].Name) != k.Statements[0].Name {
		t.Error(StatementOf(k.Receipts[0].Name))
	}
	for what, change := range map[string]func(*Kit){
		"nothing in it":     func(k *Kit) { k.Receipts, k.Histories = nil, nil },
		"no note":           func(k *Kit) { k.Note = nil },
		"another name":      func(k *Kit) { k.Receipts[0].Name = "receipts/../x.receipt" },
		"a name twice":      func(k *Kit) { k.Receipts = append(k.Receipts, k.Receipts[0]) },
		"too large a trust": func(k *Kit) { k.Trust = make([]byte, 2<<20) },
	} {
		bad := sample()
		change(bad)
		if _, err := bad.Bytes(noon); !errors.Is(err, ErrKit) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// repacked is the sample as somebody packs it who changes it.
func repacked(t *testing.T, change func(*zip.FileHeader, []byte) []byte, more ...any) []byte {
	t.Helper()
	b, err := sample().Bytes(noon)
	if err != nil {
		t.Fatal(err)
	}
	from, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(h zip.FileHeader, data []byte) {
		w, err := z.CreateHeader(&h)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range from.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		h := zip.FileHeader{Name: f.Name, Method: zip.Store}
		if data = change(&h, data); data != nil {
			add(h, data)
		}
	}
	for i := 0; i < len(more); i += 2 {
		add(more[i].(zip.FileHeader), []byte(more[i+1].(string)))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestHostileKitsAreRefusedWithTheirReason(t *testing.T) {
	same := func(_ *zip.FileHeader, b []byte) []byte { return b }
	on := func(name string, f func(*zip.FileHeader, []byte) []byte) func(*zip.FileHeader, []byte) []byte {
		return func(h *zip.FileHeader, b []byte) []byte {
			if h.Name == name {
				return f(h, b)
			}
			return b
		}
	}
	gone := func(*zip.FileHeader, []byte) []byte { return nil }
	named := func(name string) zip.FileHeader { return zip.FileHeader{Name: name, Method: zip.Store} }
	link := named("receipts/site-042/00000012-note.receipt")
	link.SetMode(fs.ModeSymlink | 0o777)
	bomb := named("histories/b.history")
	bomb.Method = zip.Deflate
	var many []any
	for i := range 3 {
		many = append(many, named(HistoryName(strings.Repeat("x", i+1))), "x")
	}
	for _, c := range []struct {
		what string
		zip  []byte
		want string
	}{
		{"a receipt changed", repacked(t, on("receipts/site-042/00000012-dataset.receipt", func(_ *zip.FileHeader, b []byte) []byte { return append(b, 'x') })), "was changed or damaged"},
		{"a receipt lost", repacked(t, on("receipts/site-042/00000012-dataset.receipt", gone)), "is missing: SHA256SUMS lists it"},
		{"a history added", repacked(t, same, many...), "is not listed in SHA256SUMS"},
		{"no list", repacked(t, on(SumsName, gone)), "no SHA256SUMS"},
		{"another list", repacked(t, on(SumsName, func(_ *zip.FileHeader, b []byte) []byte { return b[1:] })), "does not begin with the line"},
		{"a list in another order", repacked(t, on(SumsName, func(_ *zip.FileHeader, b []byte) []byte {
			lines := strings.SplitAfter(string(b), "\n")
			slices.Reverse(lines[1 : len(lines)-1])
			return []byte(strings.Join(lines, ""))
		})), "not written as it is"},
		{"no page", repacked(t, on(PageName, gone)), "no verify.html"},
		{"a program", repacked(t, same, named("setup.exe"), "x"), `"setup.exe", which is no part of a kit`},
		{"upwards", repacked(t, same, named("receipts/../../x.receipt"), "x"), "which is no part of a kit"},
		{"absolute", repacked(t, same, named("/receipts/a/00000001-note.receipt"), "x"), "which is no part of a kit"},
		{"backslash", repacked(t, same, named(`receipts\a\00000001-note.receipt`), "x"), "which is no part of a kit"},
		{"a key", repacked(t, same, named("receipts/a/jdoe.key"), "x"), "which is no part of a kit"},
		{"a directory", repacked(t, same, named("receipts/"), ""), "which is no part of a kit"},
		{"a new line in a name", repacked(t, same, named("histories/a\n.history"), "x"), "which is no part of a kit"},
		{"twice", repacked(t, same, named(NoteName), "x"), "README.txt twice"},
		{"a link", repacked(t, same, link, "/etc/passwd"), "is no file"},
		{"a bomb", repacked(t, same, bomb, strings.Repeat("\x00", 32<<20)), "50 times its size"},
	} {
		_, err := Parse(bytes.NewReader(c.zip), int64(len(c.zip)))
		if !errors.Is(err, ErrKit) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	// So many members that a list of them alone would fill the memory.
	crowd := repacked(t, same)
	at := bytes.LastIndex(crowd, []byte("PK\x05\x06"))
	crowd[at+8], crowd[at+9], crowd[at+10], crowd[at+11] = 0xff, 0xff, 0xff, 0xff
	if _, err := Parse(bytes.NewReader(crowd), int64(len(crowd))); err == nil || !strings.Contains(err.Error(), "more members") {
		t.Errorf("65,535 members: %v", err)
	}
}

// Whatever is read is written again as the same kit.
func FuzzParse(f *testing.F) {
	b, err := sample().Bytes(noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrKit) {
				t.Fatal(err)
			}
			return
		}
		again, err := k.Bytes(noon)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(bytes.NewReader(again), int64(len(again)))
		if err != nil || !slices.EqualFunc(back.Receipts, k.Receipts, func(x, y File) bool { return x.Name == y.Name && bytes.Equal(x.Data, y.Data) }) {
			t.Fatal(err)
		}
	})
}

// What someone blinded must not see, and nothing else, is left out.
func TestUnblinding(t *testing.T) {
	var open, shut statement.StreamID
	rand.Read(open[:])
	rand.Read(shut[:])
	id := func(n byte) statement.ID { return statement.ID{n} }
	at := func(index uint64, n byte, stream statement.StreamID, s statement.Statement) Sealed {
		return Sealed{Note: &statement.Note{Statement: s, ID: id(n)}, Entry: entry.Entry{Index: index, Stream: stream}}
	}
	list := id(1)
	grant := statement.Statement{Kind: statement.KindEnrolment, Keys: []statement.Key{{}}, About: []statement.ID{list}}
	all := []Sealed{
		at(9, 6, open, statement.Statement{Kind: statement.KindCorrection, About: []statement.ID{id(5)}}), // of a correction of the list
		at(1, 1, open, statement.Statement{Kind: statement.KindRandomisationList}),
		at(2, 2, open, statement.Statement{Kind: statement.KindDataset}),
		at(3, 3, shut, statement.Statement{Kind: statement.KindReport}),
		at(4, 4, open, statement.Statement{Kind: statement.KindUnblinding}),
		at(5, 5, open, statement.Statement{Kind: statement.KindApproval, Supersedes: &list}),
		at(6, 7, open, statement.Statement{Kind: statement.KindNote, About: []statement.ID{id(3)}}),
		at(7, 8, open, grant),
		at(8, 9, open, statement.Statement{Kind: statement.KindNote, About: []statement.ID{id(2)}}),
		at(10, 10, open, statement.Statement{Kind: statement.KindNote, About: []statement.ID{id(11)}}), // sealed before what it names
		at(11, 11, open, statement.Statement{Kind: statement.KindCorrection, About: []statement.ID{list}}),
		at(12, 12, open, statement.Statement{Kind: statement.KindApproval, About: []statement.ID{id(98)}}), // of a stream that was not read
		at(13, 13, open, statement.Statement{Kind: statement.KindApproval, About: []statement.ID{id(99)}}), // erased, of an open one
	}
	out := Unblinding(all, func(s statement.StreamID) bool { return s == shut }, func(i statement.ID) bool { return i == id(99) })
	want := map[statement.ID]Why{id(1): OfKind, id(3): ClosedStream, id(4): OfKind, id(5): Names, id(6): Names, id(7): Names, id(10): Names, id(11): Names, id(12): Names}
	if len(out) != len(want) {
		t.Errorf("%v", out)
	}
	for id, why := range want {
		if out[id] != why {
			t.Errorf("%v: %q, want %q", id, out[id], why)
		}
	}
}

// The description names every word of the formats: who adds one, describes it.
func TestFormatsNamesEveryWord(t *testing.T) {
	var words []string
	for _, w := range strings.Fields(string(Formats)) {
		words = append(words, strings.Trim(w, ".,:;()\""))
	}
	for _, k := range statement.Kinds() {
		if !slices.Contains(words, string(k)) {
			t.Errorf("the kind %s is not described", k)
		}
	}
	for _, r := range statement.Roles() {
		if !slices.Contains(words, string(r)) {
			t.Errorf("the role %s is not described", r)
		}
	}
	for _, w := range []string{"trialnotary/statement@v1", "trialnotary/stream@v1", "trialnotary/entry@v1", "trialnotary/batch@v1", "trialnotary/head@v1",
		"trialnotary/receipt@v1", "trialnotary/history@v1", "trialnotary/map-proof@v1", "trialnotary/manifest@v1", "trialnotary/file@v1", "trialnotary/opening@v1",
		"trialnotary/trust@v1", "trialnotary/kit@v1", "c2sp.org/tlog-proof@v1", "supersedes", "about", "after", "until", "also", "rule", "person", "signer",
		"ed25519", "ecdsa-p256", "ml-dsa-44", "sha-256", "sha-512", "authorship", "review", "approval", "responsibility", "cosignature/v1", "subtree/v1"} {
		if !slices.Contains(words, w) {
			t.Errorf("%s is not described", w)
		}
	}
	for i, line := range strings.Split(string(Formats), "\n") {
		if n := len([]rune(line)); n > 98 || strings.HasSuffix(line, " ") || strings.Contains(line, "\t") {
			t.Errorf("line %d: %q", i+1, line)
		}
	}
}
