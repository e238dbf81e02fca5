package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/client"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// study is a trial of many statements at stage local, and what the service has
// answered with 202 of it: all of which must be sealed, once.
type study struct {
	*deployed
	sponsor statement.PrivateKey
	trial   string
	salt    [32]byte

	mu       sync.Mutex
	accepted map[notary.Ref]bool
}

// newStudy registers a trial and seals it.
func (d *deployed) newStudy(t *testing.T) *study {
	t.Helper()
	raw, err := os.ReadFile(d.run("sponsor.key"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := client.ParseKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	s := &study{deployed: d, trial: fmt.Sprintf("STUDY-%d", time.Now().UnixNano()), accepted: map[notary.Ref]bool{}}
	if s.sponsor, err = file.Open(""); err != nil {
		t.Fatal(err)
	}
	recovery, err := statement.GenerateKey("recovery.local")
	if err != nil {
		t.Fatal(err)
	}
	rand.Read(s.salt[:])
	stream := statement.StreamIDOf(d.trust.Policy.Origin(), s.trial, statement.TrialStream, s.salt)
	r := statement.Statement{StreamName: statement.RegistrationStream, Kind: statement.KindRegistration,
		Keys: []statement.Key{{Role: statement.RoleSponsor, Name: statement.TrialStream, Stream: stream, Key: s.sponsor.Public()},
			{Role: statement.RoleRecovery, Name: statement.TrialStream, Stream: stream, Key: recovery.Public()}}}
	rand.Read(r.StreamSalt[:])
	s.submit(t, s.sign(t, r))
	s.sealAll(t)
	return s
}

func (s *study) sign(t *testing.T, what statement.Statement) []byte {
	what.Log, what.Trial, what.Time = s.trust.Policy.Origin(), s.trial, time.Now().UTC().Truncate(time.Second)
	rand.Read(what.Salt[:])
	n, err := statement.Sign(&what, s.sponsor)
	if err != nil {
		t.Error(err)
		return nil
	}
	return n.Raw
}

// datasets returns n signed statements of 800 to 900 bytes each, as `seal` makes
// them of a directory.
func (s *study) datasets(t *testing.T, n int) (notes [][]byte) {
	for i := range n {
		d := &statement.Dataset{Files: 1000, Bytes: 123456789}
		rand.Read(d.Root[:])
		raw := s.sign(t, statement.Statement{StreamName: statement.TrialStream, StreamSalt: s.salt, Kind: statement.KindDataset, Dataset: d,
			Label: fmt.Sprintf("Export %06d%s", i, strings.Repeat(", of the week", 10)), Meaning: statement.MeaningAuthorship, Signer: "Maria Rossi",
			Reason: "again" + strings.Repeat(", as the plan has it", 8), About: []statement.ID{{1}}})
		if len(raw) < 800 || len(raw) > 900 {
			t.Errorf("a statement of %d bytes", len(raw))
		}
		notes = append(notes, raw)
	}
	return notes
}

// post sends statements to the function URL of submit, once. Their ids are those
// of the answer.
func (s *study) post(ctx context.Context, notes ...[]byte) (status int, refs []notary.Ref, err error) {
	var body struct {
		Statements []string `json:"statements"`
	}
	for _, n := range notes {
		body.Statements = append(body.Statements, string(n))
	}
	b, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+s.front()+"/submissions", bytes.NewReader(b))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	if b, err = io.ReadAll(res.Body); err != nil {
		return 0, nil, err
	}
	if res.StatusCode != http.StatusAccepted {
		return res.StatusCode, nil, fmt.Errorf("%s: %s", res.Status, b)
	}
	var answer struct {
		Statements []struct{ Stream, Statement string }
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return 0, nil, err
	}
	for i, a := range answer.Statements {
		stream, err1 := statement.ParseStreamID(a.Stream)
		id, err2 := statement.ParseID(a.Statement)
		if err1 != nil || err2 != nil || i >= len(notes) || id != statement.IDOf(notes[i]) {
			return 0, nil, fmt.Errorf("the answer names other statements: %s", b)
		}
		refs = append(refs, notary.Ref{Stream: stream, Statement: id})
	}
	if len(refs) != len(notes) {
		return 0, nil, fmt.Errorf("the answer names %d of %d statements", len(refs), len(notes))
	}
	return res.StatusCode, refs, nil
}

// submit sends the same bytes until they are accepted, as clients do. It says how
// often it had to.
func (s *study) submit(t *testing.T, notes ...[]byte) (tries int) {
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		tries++
		status, refs, err := s.post(t.Context(), notes...)
		switch {
		case err == nil:
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, r := range refs {
				s.accepted[r] = true
			}
			return tries
		case status >= 400 && status < 500 && status != http.StatusTooManyRequests:
			t.Errorf("what is right was refused: %v", err)
			return tries
		case time.Now().After(until):
			t.Errorf("not accepted in two minutes: %v", err)
			return tries
		}
	}
}

// sealAll seals until nothing waits.
func (s *study) sealAll(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		err := s.seal(t.Context(), t)
		left := 1
		if err == nil {
			var waiting []notary.Accepted
			waiting, err = s.store.Pending(t.Context(), 1)
			left = len(waiting)
		}
		if err == nil && left == 0 {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("something is still waiting: %v", err)
		}
	}
}

// sealedOnce re-verifies the whole log, by our code and by Tessera's, and wants in
// it every statement that was accepted; none can be there twice.
func (s *study) sealedOnce(t *testing.T) storetest.Log {
	t.Helper()
	log, err := storetest.VerifyLog(func(name string) ([]byte, error) { return s.object(t.Context(), name) }, s.trust.Policy)
	if err != nil {
		t.Fatal(err)
	}
	sealed := map[notary.Ref]int{}
	for _, e := range log.Entries {
		sealed[notary.Ref{Stream: e.Stream, Statement: e.Statement}]++
	}
	missing := 0
	for ref := range s.accepted {
		if n := sealed[ref]; n != 1 {
			missing++
			if missing <= 3 {
				t.Errorf("a statement that was accepted is in the log %d times", n)
			}
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d accepted statements are lost", missing, len(s.accepted))
	}
	s.tesseraAgrees(t)
	t.Logf("%d accepted, each sealed once; the log has %d batches, %d leaves", len(s.accepted), log.Batches, log.Size)
	return log
}
