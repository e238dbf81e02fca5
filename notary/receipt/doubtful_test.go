package receipt

import (
	"testing"

	"trialnotary/notary/checkpoint"
)

// A receipt under keys that were given up without their signature is doubtful, unless
// witnesses cosigned it: whoever stole the keys can make one.
func TestAReceiptUnderStolenKeysIsDoubtful(t *testing.T) {
	w := newWorld(t)
	registration, grant, dataset := w.honest()
	r := w.receipt(dataset, registration, grant)
	keys := []string{w.log[0].VerifierKey(), w.log[1].VerifierKey()}
	bare, err := checkpoint.NewLogPolicy(keys[0], keys[1])
	w.check(err)
	ed, err := checkpoint.GenerateEd25519(worldOrigin)
	w.check(err)
	pq, err := checkpoint.GenerateMLDSA44(worldOrigin)
	w.check(err)
	next := []checkpoint.Signer{ed, pq}
	now, err := checkpoint.NewLogPolicy(ed.VerifierKey(), pq.VerifierKey())
	w.check(err)
	for _, c := range []struct {
		name string
		old  *checkpoint.Policy
		by   []checkpoint.Signer
		want uint64
	}{
		{"stolen", bare, next, 9},
		{"cross-signed", bare, append(w.log[:2:2], next...), 0},
		{"stolen, and witnessed", w.trust().Policy, next, 0},
	} {
		k, err := checkpoint.NewRetired(c.old, checkpoint.Checkpoint{Origin: worldOrigin, Size: 9}, now.LogKeys())
		w.check(err)
		w.check(k.Handover.Sign(c.by))
		policy, err := now.WithRetired([]checkpoint.Retired{k})
		w.check(err)
		v, err := r.Verify(w.options(&Trust{Policy: policy}))
		if err != nil || v.Doubtful != c.want {
			t.Errorf("%s: %+v, %v", c.name, v, err)
		}
	}
	if v, err := r.Verify(w.options(&Trust{Policy: bare})); err != nil || v.Doubtful != 0 {
		t.Errorf("under the log's own keys: %+v, %v", v, err)
	}
}
