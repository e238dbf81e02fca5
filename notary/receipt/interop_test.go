package receipt

import (
	"bytes"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// The proofs in a receipt and the policy of a trust file are C2SP's: another
// implementation reads and believes them, and refuses a corrupted copy.
func TestTorchwoodVerifiesOurProofs(t *testing.T) {
	policy, err := torchwood.ParsePolicy(sampleTrust(t).Policy.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sampleNames {
		r := sampleReceipt(t, name)
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(r.Entry), r.Proof); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		corrupted := bytes.Clone(r.Proof)
		corrupted[len("c2sp.org/tlog-proof@v1\nindex 1\n")+8] ^= 1
		if torchwood.VerifyProof(policy, tlog.RecordHash(r.Entry), corrupted) == nil {
			t.Errorf("%s: a corrupted proof is believed", name)
		}
	}
}

func TestTorchwoodVerifiesAProofMadeHere(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	policy, err := torchwood.ParsePolicy([]byte(w.policy))
	w.check(err)
	if err := torchwood.VerifyProof(policy, tlog.RecordHash(r.Entry), r.Proof); err != nil {
		t.Error(err)
	}
}
