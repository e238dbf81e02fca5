package text

import "fmt"

// PartReader reads the parts of an archive in their order. It holds the first
// error.
type PartReader struct {
	left []Part
	err  error
}

// NewPartReader returns a reader of these parts.
func NewPartReader(ps []Part) *PartReader { return &PartReader{left: ps} }

// Name returns the name of the next part, "" at the end or after an error.
func (r *PartReader) Name() string {
	if r.err != nil || len(r.left) == 0 {
		return ""
	}
	return r.left[0].Name
}

// Next reports whether the next part has that name.
func (r *PartReader) Next(name string) bool { return name != "" && r.Name() == name }

// Take returns the data of the next part, which has that name and is not empty.
func (r *PartReader) Take(name string) []byte {
	b := r.TakeAny(name)
	if r.err == nil && len(b) == 0 {
		r.Fail("part %q is empty", name)
	}
	return b
}

// TakeAny is Take for a part that may be empty.
func (r *PartReader) TakeAny(name string) []byte {
	switch {
	case r.err != nil:
	case len(r.left) == 0:
		r.Fail("part %q is missing at the end", name)
	case r.left[0].Name != name:
		r.Fail("part %q stands where %q is due", clip(r.left[0].Name), name)
	default:
		d := r.left[0].Data
		r.left = r.left[1:]
		return d
	}
	return nil
}

// Fail records an error, wrapping [ErrFormat].
func (r *PartReader) Fail(format string, a ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format+": %w", append(a, ErrFormat)...)
	}
}

// Err returns the first error so far.
func (r *PartReader) Err() error { return r.err }

// Done returns the first error, or an error when parts are left.
func (r *PartReader) Done() error {
	if r.err == nil && len(r.left) > 0 {
		r.Fail("part %q has no place here", clip(r.left[0].Name))
	}
	return r.err
}
