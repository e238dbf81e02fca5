package receipt

import (
	"bytes"
	"reflect"
	"sync"
	"testing"
)

// A verifier says of every receipt what Verify says, whatever it verified before:
// what it remembers of a checkpoint is of those bytes alone.
func TestVerifierSaysWhatVerifySays(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	o := w.options(w.trust())
	bad := *r
	at := bytes.LastIndex(r.Proof, []byte("— ")) + 40
	bad.Proof = bytes.Clone(r.Proof)
	bad.Proof[at] ^= 1
	f := NewVerifier(o)
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for _, each := range []*Receipt{r, &bad} {
				want, wantErr := each.Verify(o)
				got, err := f.Verify(each)
				if !reflect.DeepEqual(got, want) || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
					t.Errorf("%+v, %v; want %+v, %v", got, err, want, wantErr)
				}
			}
		})
	}
	work.Wait()
	if _, err := bad.Verify(o); err == nil {
		t.Error("a changed signature was accepted")
	}
}
