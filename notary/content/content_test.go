package content

import (
	"encoding/hex"
	"os"
	"testing"
)

// digest computes a content digest, in chunks of that size.
func digest(t testing.TB, profile string, b []byte, chunk int) (string, bool) {
	t.Helper()
	d := New(profile)
	for len(b) > 0 {
		n := min(chunk, len(b))
		if m, err := d.Write(b[:n]); m != n || err != nil {
			t.Fatalf("Write: %d of %d bytes, %v", m, n, err)
		}
		b = b[n:]
	}
	sum, ok := d.Sum()
	return hex.EncodeToString(sum[:]), ok
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestProfile(t *testing.T) {
	for name, want := range map[string]string{
		"dm.xpt": XPT5, "a/DM.XPT": XPT5, "dm.json": DatasetJSON, "dm.ndjson": DatasetJSON, "a.csv": CSV,
		"a.txt": "", "csv": "", "": "", "x.csv/y": "",
	} {
		if got := Profile(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if New("csv/v2") != nil {
		t.Error("a profile that nobody specified has a digest")
	}
}
