package witness_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
	"trialnotary/notary/witness"
)

const origin = "log.example/trials"

// tree returns the checkpoints of a log by size, and its consistency proofs.
func tree(t *testing.T, log checkpoint.Key, sizes ...int) (map[uint64]checkpoint.Signed, func(old, size uint64) ([]tile.Hash, error)) {
	t.Helper()
	var edge tile.Edge
	objects := map[string][]byte{}
	signed := map[uint64]checkpoint.Signed{}
	for _, size := range sizes {
		for edge.Size() < uint64(size) {
			edge.Append(fmt.Appendf(nil, "entry %d", edge.Size()))
		}
		for _, o := range edge.Objects() {
			objects[o.Name] = o.Data
		}
		raw, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: uint64(size), Root: edge.Root()}, []checkpoint.Signer{log})
		if err != nil {
			t.Fatal(err)
		}
		if signed[uint64(size)], err = checkpoint.Parse(raw); err != nil {
			t.Fatal(err)
		}
	}
	return signed, func(old, size uint64) ([]tile.Hash, error) {
		return tile.Consistency(old, size, func(name string) ([]byte, error) {
			if b, ok := objects[name]; ok {
				return b, nil
			}
			return nil, errors.New("no tile " + name)
		})
	}
}

func key(t *testing.T, make func(string) (checkpoint.Key, error), name string) checkpoint.Key {
	t.Helper()
	k, err := make(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// honest is what tlog-witness asks of a witness, in few words; the real one that
// nobody here wrote is in the tests of package notary.
type honest struct {
	t    *testing.T
	key  checkpoint.Key
	size uint64
	root tile.Hash
	seen []string // the "old" line of every request
}

func (h *honest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/prefix/add-checkpoint" {
		h.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	head, note, ok := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	h.seen = append(h.seen, lines[0])
	c, err := checkpoint.Parse([]byte(note))
	if !ok || err != nil {
		h.t.Errorf("a request that is none: %q", body)
	}
	if lines[0] != fmt.Sprintf("old %d", h.size) {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, "%d\n", h.size)
		return
	}
	var proof []tile.Hash
	for _, l := range lines[1:] {
		p, err := checkpoint.ParseProof([]byte("c2sp.org/tlog-proof@v1\nindex 0\n" + l + "\n\n" + note))
		if err != nil {
			h.t.Errorf("proof line %q: %v", l, err)
			return
		}
		proof = append(proof, p.Hashes...)
	}
	if h.size > 0 {
		if err := tile.VerifyConsistency(h.size, c.Size, proof, h.root, c.Root); err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
	}
	sig, err := h.key.Sign(c.Text())
	if err != nil {
		h.t.Error(err)
	}
	h.size, h.root = c.Size, c.Root
	io.WriteString(w, checkpoint.Line{Name: h.key.Name(), Hash: h.key.KeyHash(), Sig: sig}.String())
}

func TestCosign(t *testing.T) {
	for name, make := range map[string]func(string) (checkpoint.Key, error){
		"ed25519": checkpoint.GenerateCosignature, "ml-dsa-44": checkpoint.GenerateMLDSA44,
	} {
		t.Run(name, func(t *testing.T) {
			signed, prove := tree(t, key(t, checkpoint.GenerateEd25519, origin), 3, 700, 1000)
			h := &honest{t: t, key: key(t, make, "w.example")}
			server := httptest.NewServer(h)
			defer server.Close()
			ask := func() *witness.Witness {
				w, err := witness.New(checkpoint.Witness{Name: "w1", Key: h.key.VerifierKey(), URL: server.URL + "/prefix/"}, nil)
				if err != nil {
					t.Fatal(err)
				}
				return w
			}
			w := ask()
			for _, size := range []uint64{3, 700, 700, 1000} {
				line, err := w.Cosign(context.Background(), signed[size], func(old uint64) ([]tile.Hash, error) { return prove(old, size) })
				if err != nil {
					t.Fatalf("size %d: %v", size, err)
				}
				v, _, err := checkpoint.VerifierFor(h.key.VerifierKey())
				if err != nil || !v.Verify(signed[size].Text(), line.Sig) {
					t.Fatalf("size %d: the line does not verify, %v", size, err)
				}
			}
			if got := strings.Join(h.seen, ", "); got != "old 0, old 3, old 700, old 700" {
				t.Errorf("asked with %q", got)
			}
			// A new process does not know what the witness holds, and is told.
			h.seen = nil
			if _, err := ask().Cosign(context.Background(), signed[1000], func(old uint64) ([]tile.Hash, error) { return prove(old, 1000) }); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(h.seen, ", "); got != "old 0, old 1000" {
				t.Errorf("a new process asked with %q", got)
			}
			// A witness that is ahead is not asked to go back.
			if _, err := w.Cosign(context.Background(), signed[700], func(uint64) ([]tile.Hash, error) { return nil, nil }); err == nil ||
				!strings.Contains(err.Error(), "holds size 1000") {
				t.Errorf("a witness ahead: %v", err)
			}
			// A witness of another tree says so.
			h.root[0] ^= 1
			h.size = 700
			if _, err := ask().Cosign(context.Background(), signed[1000], func(old uint64) ([]tile.Hash, error) { return prove(old, 1000) }); !errors.Is(err, witness.ErrDisagrees) {
				t.Errorf("a witness of another tree: %v", err)
			}
		})
	}
}

// TestHostileAnswers: nothing that a witness says is kept unless it verifies, and
// nothing that it does takes more than its bounds.
func TestHostileAnswers(t *testing.T) {
	signed, prove := tree(t, key(t, checkpoint.GenerateEd25519, origin), 5, 9)
	k, other := key(t, checkpoint.GenerateCosignature, "w.example"), key(t, checkpoint.GenerateCosignature, "w.example")
	line := func(k checkpoint.Key, c checkpoint.Signed) string {
		sig, err := k.Sign(c.Text())
		if err != nil {
			t.Fatal(err)
		}
		return checkpoint.Line{Name: k.Name(), Hash: k.KeyHash(), Sig: sig}.String()
	}
	good := line(k, signed[9])
	for name, c := range map[string]struct {
		status int
		body   string
		is     error // nil: another error
		says   string
	}{
		"nothing":                       {200, "", witness.ErrAnswer, "it is empty"},
		"another key":                   {200, line(other, signed[9]), witness.ErrAnswer, "did not sign with the key"},
		"another checkpoint":            {200, line(k, signed[5]), witness.ErrAnswer, "does not verify"},
		"a year beyond years":           {200, line(k.WithClock(func() time.Time { return time.Unix(253402300800, 0) }), signed[9]), witness.ErrAnswer, "no time that counts"},
		"twice":                         {200, good + good, witness.ErrAnswer, "second one of the same key"},
		"a line cut short":              {200, good[:len(good)-9], witness.ErrAnswer, ""},
		"no line":                       {200, "cosigned, trust me\n", witness.ErrAnswer, "no signature line"},
		"a page":                        {200, "<!DOCTYPE html><title>Welcome</title>", witness.ErrAnswer, ""},
		"a gigabyte":                    {200, strings.Repeat("a", 1<<20), witness.ErrAnswer, "more than"},
		"conflict without a size":       {409, "you are behind", witness.ErrAnswer, "without the size"},
		"conflict with a strange size":  {409, "007\n", witness.ErrAnswer, "without the size"},
		"conflict with the size it got": {409, "0\n", witness.ErrAnswer, "refuses the size 0"},
		"conflict with a size beyond":   {409, "18446744073709551615\n", nil, "beyond 9"},
		"always another size":           {409, "vary", nil, "changed with every request"},
		"unknown log":                   {404, "", witness.ErrDisagrees, "does not know the log"},
		"unknown key":                   {403, "", witness.ErrDisagrees, "does not accept the log's key"},
		"other tree":                    {422, "", witness.ErrDisagrees, "another tree"},
		"not understood":                {400, "", witness.ErrAnswer, "does not understand"},
		"broken":                        {500, "panic: …", nil, "status 500"},
		"elsewhere":                     {302, "", nil, "status 302"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				body := c.body
				if body == "vary" {
					body = fmt.Sprintf("%d\n", asked)
				}
				w.Header().Set("Location", "http://192.0.2.1/never-followed")
				w.WriteHeader(c.status)
				io.WriteString(w, body)
			}))
			defer server.Close()
			w, err := witness.New(checkpoint.Witness{Name: "w1", Key: k.VerifierKey(), URL: server.URL}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Cosign(context.Background(), signed[9], func(old uint64) ([]tile.Hash, error) { return prove(old, 9) })
			if err == nil {
				t.Fatalf("accepted %q", got)
			}
			if c.is == nil && (errors.Is(err, witness.ErrAnswer) || errors.Is(err, witness.ErrDisagrees)) || c.is != nil && !errors.Is(err, c.is) ||
				!strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "witness w1: ") {
				t.Errorf("%v", err)
			}
			if asked > 3 {
				t.Errorf("it was asked %d times", asked)
			}
		})
	}
	t.Run("breaks off", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, good)
		}))
		defer server.Close()
		w, err := witness.New(checkpoint.Witness{Name: "w1", Key: k.VerifierKey(), URL: server.URL}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Cosign(context.Background(), signed[9], nil); err == nil || !strings.Contains(err.Error(), "broke off") {
			t.Errorf("%v", err)
		}
	})
	t.Run("never answers", func(t *testing.T) {
		done := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-done }))
		defer server.Close()
		defer close(done)
		w, err := witness.New(checkpoint.Witness{Name: "w1", Key: k.VerifierKey(), URL: server.URL}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if _, err := w.Cosign(ctx, signed[9], nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestNewRefusesWhatIsNoAddress(t *testing.T) {
	k := key(t, checkpoint.GenerateCosignature, "w.example")
	for _, url := range []string{"", "w.example", "ftp://w.example", "https://", "https://u:p@w.example", "https://w.example/?a=b", "https://w.example/#a"} {
		if _, err := witness.New(checkpoint.Witness{Name: "w1", Key: k.VerifierKey(), URL: url}, nil); err == nil {
			t.Errorf("%q was taken for an address", url)
		}
	}
}
