package audit

import (
	"fmt"

	"trialnotary/notary/checkpoint"
)

// Cosign returns a final checkpoint with the signature of an auditor added, as a
// history carries it. It says that its signer recomputed every entry, seq, batch and
// map up to there: it is for a [Report] without findings that is whole.
func Cosign(final *checkpoint.Signed, k checkpoint.Signer) (*checkpoint.Signed, error) {
	for _, l := range final.Lines {
		if l.Name == k.Name() && l.Hash == k.KeyHash() {
			return nil, fmt.Errorf("the log's checkpoint has a signature of %s already: an auditor's key signs nothing else", k.Name())
		}
	}
	sig, err := k.Sign(final.Text())
	if err != nil {
		return nil, fmt.Errorf("cosign checkpoint %d: %w", final.Size, err)
	}
	with, err := final.With(checkpoint.Line{Name: k.Name(), Hash: k.KeyHash(), Sig: sig})
	if err != nil {
		return nil, fmt.Errorf("cosign checkpoint %d: %w", final.Size, err)
	}
	if _, signed, err := with.SignedBy(k.VerifierKey()); err != nil || !signed {
		return nil, fmt.Errorf("cosign checkpoint %d: the signature of %s does not verify: %w", final.Size, k.Name(), err)
	}
	return &with, nil
}
