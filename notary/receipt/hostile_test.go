package receipt

import (
	"errors"
	"testing"
)

// refused requires that r fails at that step and returns the reason.
func refused(t *testing.T, r *Receipt, o Options, step string) string {
	t.Helper()
	v, err := r.Verify(o)
	var f *Failure
	if !errors.As(err, &f) {
		t.Fatalf("it verifies: %+v, %v", v, err)
	}
	if v != nil || f.Step != step {
		t.Fatalf("refused at %q, want %q: %s", f.Step, step, f.Reason)
	}
	return f.Reason
}
