package request

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

var update = flag.Bool("update", false, "write testdata/vectors anew from the tables of this file")

const vectors = "testdata/vectors/"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func testKey(t testing.TB, name string) statement.PrivateKey {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	public := statement.PublicKey{Name: name, Key: [32]byte(ed25519.NewKeyFromSeed(seed[:])[32:])}
	k, err := statement.ParsePrivateKey(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, public.Hash(), text.Base64(append([]byte{1}, seed[:]...))))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t testing.TB, n interface {
	Sign(statement.PrivateKey) ([]byte, error)
}) []byte {
	t.Helper()
	b, err := n.Sign(testKey(t, "site-001.jdoe"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func good(t testing.TB) map[string][]byte {
	id := statement.StreamID{1}.String()
	return map[string][]byte{
		"read.txt":      signed(t, Read{Log: "log.example/trials", Method: "GET", Path: "/streams/" + id + "/entries?from=1", Time: noon}),
		"read-long.txt": signed(t, Read{Log: strings.Repeat("é", statement.MaxOrigin/2), Method: "GET", Path: "/" + strings.Repeat("~", MaxPath-1), Time: noon}),
		"blind.txt":     signed(t, Blind{Log: "log.example/trials", Stream: statement.StreamID{1}, Statement: statement.ID{2}}),
	}
}

// bad notes, each a good one with one thing exchanged: a signature is not looked
// at before the text is read.
var bad = []struct{ file, from, old, new, want, reason string }{
	{"read-version.txt", "read.txt", "request@v1", "request@v2", "line 1", "another version"},
	{"read-no-log.txt", "read.txt", "log log.example/trials\n", "", "line 2", "no log"},
	{"read-log-blank.txt", "read.txt", "log.example/trials", "log.example /trials", "line 2", "a blank in the origin"},
	{"read-log-plus.txt", "read.txt", "log.example/trials", "log.example+trials", "line 2", "a plus in the origin"},
	{"read-method.txt", "read.txt", "method GET", "method POST", "line 3", "another method"},
	{"read-method-lower-case.txt", "read.txt", "method GET", "method get", "line 3", "the method in lower case"},
	{"read-path-relative.txt", "read.txt", "path /streams", "path streams", "line 4", "a path that is not absolute"},
	{"read-path-blank.txt", "read.txt", "?from=1", "?from= 1", "line 4", "a blank in the path"},
	{"read-path-fragment.txt", "read.txt", "?from=1", "#from=1", "line 4", "a fragment, which no request has"},
	{"read-path-unicode.txt", "read.txt", "?from=1", "?from=é", "line 4", "a path that is not ASCII"},
	{"read-path-long.txt", "read-long.txt", "path /", "path /~", "line 4", "a path of 513 bytes"},
	{"read-time-zone.txt", "read.txt", "12:00:00Z", "12:00:00+00:00", "line 5", "UTC written as +00:00"},
	{"read-no-time.txt", "read.txt", "time 2026-11-22T12:00:00Z\n", "", "line 5", "no time"},
	{"read-more.txt", "read.txt", "12:00:00Z\n", "12:00:00Z\nuntil 2099-01-01T00:00:00Z\n", "line 6", "an unknown line"},
	{"read-crlf.txt", "read.txt", "method GET\n", "method GET\r\n", "line 3", "a CRLF line end"},
	{"read-bidi.txt", "read.txt", "log.example/trials", "log.\u202eexample/trials", "line 2", "a bidirectional control"},
	{"read-unsigned.txt", "read.txt", "\n— site-001.jdoe ", "\n", "signature", "no signature line"},
	{"read-two-signatures.txt", "read.txt", "\n— site-001.jdoe ", "\n— site-001.jdoe AAAA\n— site-001.jdoe ", "line 8", "two signature lines"},
	{"blind-version.txt", "blind.txt", "blind@v1", "blind@v2", "line 1", "another version"},
	{"blind-no-stream.txt", "blind.txt", "stream 01", "strand 01", "line 3", "no stream"},
	{"blind-stream-short.txt", "blind.txt", "stream 01", "stream 0", "line 3", "a stream id of 63 hex digits"},
	{"blind-statement-upper-case.txt", "blind.txt", "statement 02", "statement A2", "line 4", "an id in upper case"},
	{"blind-with-label.txt", "blind.txt", "\nstatement", "\nlabel visits\nstatement", "line 4", "something of the statement"},
	{"blind-order.txt", "blind.txt", "log log.example/trials\n", "", "line 2", "no log"},
}

func parse(b []byte) ([]byte, error) {
	if IsBlind(b) || bytes.HasPrefix(b, []byte("trialnotary/blind")) {
		n, err := ParseBlind(b)
		if err != nil {
			return nil, err
		}
		return n.lines(), nil
	}
	r, err := ParseRead(b)
	if err != nil {
		return nil, err
	}
	return r.lines(), nil
}

func TestGoodVectors(t *testing.T) {
	for name, b := range good(t) {
		file := vectors + "good/" + name
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(stored, b) {
			t.Errorf("%s is not what is written today (%v)", file, err)
		}
		lines, err := parse(b)
		if err != nil || !bytes.HasPrefix(b, lines) {
			t.Errorf("%s: %v", name, err)
		}
		field, err := ParseField(Field(b))
		if IsBlind(b) != (err != nil) {
			t.Errorf("%s: in a header field: %v, %v", name, field, err)
		}
	}
}

func TestBadVectors(t *testing.T) {
	reasons := map[string]string{}
	for _, v := range bad {
		from := good(t)[v.from]
		b := bytes.Replace(from, []byte(v.old), []byte(v.new), 1)
		if bytes.Equal(b, from) {
			t.Fatalf("%s changes nothing", v.file)
		}
		reasons[v.file] = v.reason
		file := vectors + "bad/" + v.file
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(stored, b) {
			t.Errorf("%s is not what is written today (%v)", file, err)
		}
		if _, err := parse(b); !errors.Is(err, text.ErrFormat) || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %v, want it to say %q", v.file, err, v.want)
		}
	}
	want, err := json.MarshalIndent(reasons, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectors+"bad.json", append(want, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if stored, err := os.ReadFile(vectors + "bad.json"); err != nil || !bytes.Equal(stored, append(want, '\n')) {
		t.Errorf("bad.json is not what is written today (%v)", err)
	}
}

// What cannot be read back is never signed.
func TestSignRefuses(t *testing.T) {
	k := testKey(t, "site-001.jdoe")
	for name, r := range map[string]Read{
		"method": {Log: "log.example", Method: "HEAD", Path: "/", Time: noon},
		"path":   {Log: "log.example", Method: "GET", Path: "/a b", Time: noon},
		"line":   {Log: "log.example", Method: "GET", Path: "/\ntime x", Time: noon},
		"log":    {Method: "GET", Path: "/", Time: noon},
	} {
		if b, err := r.Sign(k); err == nil {
			t.Errorf("%s: signed %q", name, b)
		}
	}
	if _, err := (Read{Log: "log.example", Method: "GET", Path: "/", Time: noon}).Sign(statement.PrivateKey{}); err == nil {
		t.Error("signed without a key")
	}
}

func TestTimely(t *testing.T) {
	r := &Read{Time: noon}
	for d, want := range map[time.Duration]bool{0: true, Window: true, -Window: true, Window + 1: false, -Window - 1: false} {
		if r.Timely(noon.Add(d)) != want {
			t.Errorf("%v from the service's time: want %v", d, want)
		}
	}
}

func TestFieldRefuses(t *testing.T) {
	f := Field(good(t)["read.txt"])
	for name, s := range map[string]string{
		"empty": "", "url alphabet": strings.ReplaceAll(f, "/", "_") + "_", "unpadded": strings.TrimRight(f, "=") + "A",
		"line feed": f[:40] + "\n" + f[40:], "long": strings.Repeat("A", 1<<20),
	} {
		if _, err := ParseField(s); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever parses is the only text of its value, and says what is written there.
func FuzzParse(f *testing.F) {
	for _, b := range good(f) {
		f.Add(b)
	}
	for _, v := range bad {
		f.Add(bytes.Replace(good(f)[v.from], []byte(v.old), []byte(v.new), 1))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseRead(b); err == nil {
			if !bytes.HasPrefix(b, append(r.lines(), '\n')) || r.Method != "GET" || r.Path[0] != '/' {
				t.Fatalf("%q is read as %+v", b, r)
			}
		}
		if n, err := ParseBlind(b); err == nil {
			if !bytes.HasPrefix(b, append(n.lines(), '\n')) || !IsBlind(b) {
				t.Fatalf("%q is read as %+v", b, n)
			}
		}
	})
}
