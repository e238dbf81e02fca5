package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/kit"
	"trialnotary/notary/statement"
)

// A kit that somebody made who lies, with its list in order: each lie is found, and no
// receipt that is not one verifies.
func TestALyingKit(t *testing.T) {
	d := newDesk(t)
	d.run("keygen", "--name", "jane", "--no-passphrase", "--out", d.path("jane.key"))
	d.run("enrol", d.path("T.trial"), "site-1", d.path("jane.key.pub"), "--out", d.path("jane.invite"))
	d.fill(d.notary, d.path("jane.invite"), d.path("jane.key"), 3)
	d.settle()
	d.run("export", d.path("T.trial"), "--out", d.path("good.zip"))
	d.run("register", "NCT07654321", "--recovery", d.path("rec.key.pub"), "--key", d.path("acme.key"), "--service", d.http.URL, "--out", d.path("other.trial"))
	d.run("export", d.path("other.trial"), "--key", d.path("acme.key"), "--out", d.path("other.zip"))
	open := func(name string) *kit.Kit {
		b, err := os.ReadFile(d.path(name))
		if err != nil {
			t.Fatal(err)
		}
		k, err := kit.Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	trust := d.path("T.trial")
	if code, said := d.try("verify", d.path("good.zip"), "--trust", trust); code != exitDone || !strings.Contains(said, "5 of 5 verify") {
		t.Fatalf("%d\n%s", code, said)
	}
	site := func(k *kit.Kit) int {
		for i, f := range k.Receipts {
			if strings.Contains(f.Name, "/site-1/") {
				return i
			}
		}
		t.Fatal("no receipt of site-1")
		return 0
	}
	for what, c := range map[string]struct {
		change func(*kit.Kit)
		code   int
		words  string
	}{
		"a receipt with one byte changed": {func(k *kit.Kit) {
			f := &k.Receipts[site(k)]
			f.Data = bytes.Replace(f.Data, []byte("label note"), []byte("label Note"), 1)
		}, exitNotVerified, "one of them was changed"},
		"a history without an entry": {func(k *kit.Kit) {
			h := &k.Histories[0]
			at := bytes.LastIndex(h.Data, []byte("trialnotary/entry@v1"))
			end := at + bytes.Index(h.Data[at:], []byte("-- "))
			h.Data = append(bytes.Clone(h.Data[:at]), h.Data[end:]...)
		}, exitNotVerified, "missing"},
		"a receipt under another's name": {func(k *kit.Kit) {
			name, note := kit.ReceiptName("site-2", 12345678, statement.KindDataset)
			i := site(k)
			k.Receipts[i].Name, k.Statements[i].Name = name, note
		}, exitNotVerified, "not that of its statement"},
		"another statement beside a receipt": {func(k *kit.Kit) { k.Statements[site(k)].Data = k.Statements[0].Data }, exitNotVerified, "is another statement"},
		"a statement that no receipt is of": {func(k *kit.Kit) {
			_, note := kit.ReceiptName("site-1", 12345678, statement.KindDataset)
			k.Statements = append(k.Statements, kit.File{Name: note, Data: []byte("the drug works\n")})
		}, exitNotVerified, "no receipt in the kit is of this statement"},
		"a receipt of another trial": {func(k *kit.Kit) {
			o := open("other.zip")
			k.Receipts, k.Statements = append(k.Receipts, o.Receipts[0]), append(k.Statements, o.Statements[0])
		}, exitNotVerified, "of another trial than the rest"},
		"another page":                 {func(k *kit.Kit) { k.Page = []byte("<h1>VERIFIED</h1>") }, exitDone, "do not rely on it"},
		"no trust file that reads":     {func(k *kit.Kit) { k.Trust = []byte("trust me\n") }, exitUsage, "log.trust"},
		"a word that moves the cursor": {func(k *kit.Kit) { k.Note = []byte("\x1b[2JVERIFIED") }, exitDone, "5 of 5 verify"},
	} {
		k := open("good.zip")
		c.change(k)
		b, err := k.Bytes(time.Unix(1800000000, 0))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := os.WriteFile(d.path("bad.zip"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		code, said := d.try("verify", d.path("bad.zip"), "--trust", trust)
		if code != c.code || !strings.Contains(said, c.words) || strings.Contains(said, "\x1b") {
			t.Errorf("%s: exit code %d\n%s", what, code, said)
		}
		if code == exitNotVerified && !strings.HasPrefix(said, notVerified) {
			t.Errorf("%s: begins with %.40q", what, said)
		}
	}
}
