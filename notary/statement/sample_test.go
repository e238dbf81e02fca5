package statement_test

import (
	"errors"
	"testing"

	"golang.org/x/tools/txtar"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

// The sample log's trial, from an independent implementation: in its last batch
// the recovery key replaces the lost sponsor key, the new one revokes and enrols,
// and the key enrolled there signs, all within the batch.
func TestSampleTrial(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/sample.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var a *statement.Authority
	rests := map[string][]uint64{ // index of the grant, then of its chain
		"dataset-site-001":          {3, 3},
		"dataset-site-002":          {4, 4},
		"dataset-superseding-after": {3, 3},
		"dataset-same-batch-chain":  {15, 15, 13},
		"succession-sponsor":        {1},
		"enrolment-by-successor":    {13, 13},
		"revocation-site-002":       {13, 13},
		"registration":              {1}, "enrolment-site-001": {1}, "enrolment-site-002": {1}, "protocol": {1},
	}
	for i := 0; i < len(archive.Files); i += 2 {
		name := archive.Files[i].Name
		n, err := statement.Parse(archive.Files[i].Data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e, err := entry.Parse(archive.Files[i+1].Data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e.Statement != n.ID || e.Stream != n.Stream() {
			t.Errorf("%s: the entry places statement %s in stream %s; want %s in %s", name, e.Statement, e.Stream, n.ID, n.Stream())
		}
		if n.Kind == statement.KindRegistration {
			if a, err = statement.NewAuthority(n, e.Index); err != nil {
				t.Fatal(err)
			}
			if ids := n.RegistrationStreams(); len(ids) != 2 || ids[1] != e.Stream || ids[0].String() != "788788827de87be1a3dc5d6155055f42b472363b4325cf23c101697524baebc3" {
				t.Errorf("registration streams %s", ids)
			}
		}
		g, err := a.Check(n, e.Index, e.Time)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := []uint64{g.Index}
		for _, c := range a.Chain(g) {
			got = append(got, c.Index)
		}
		want := rests[name]
		if len(got) != len(want) {
			t.Errorf("%s rests on %d, want %d", name, got, want)
		} else {
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s rests on %d, want %d", name, got, want)
				}
			}
		}
		if e.Stream == a.TrialStream() {
			if err := a.Add(n, e.Index, e.Time); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		// The key revoked at index 14 signed at index 8, and may not any more.
		if name == "dataset-site-002" {
			defer func() {
				if _, err := a.Check(n, 17, e.Time); !errors.Is(err, statement.ErrNotInForce) {
					t.Errorf("a revoked key: %v", err)
				}
			}()
		}
	}
	if a.Count() != 6 {
		t.Errorf("%d statements in the trial stream, want 6", a.Count())
	}
}
