package manifest

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"trialnotary/notary/text"
)

// MaxPath is the length in bytes of the longest path.
const MaxPath = 4096

// CheckPath returns an error wrapping [text.ErrFormat] unless p is the path of a
// file in a manifest: relative, with "/" between segments, none of which is
// empty, "." or ".."; no backslash; no leading or trailing blank; no character
// that [text.IndexForbidden] finds; in Unicode normalisation form C; of 1 to
// [MaxPath] bytes.
func CheckPath(p string) error {
	if why := pathFault(p); why != "" {
		return fmt.Errorf("path %q %s: %w", clip(p), why, text.ErrFormat)
	}
	return nil
}

// pathFault returns what is wrong with p, or "".
func pathFault(p string) string {
	switch {
	case p == "":
		return "is empty"
	case len(p) > MaxPath:
		return fmt.Sprintf("is longer than %d bytes", MaxPath)
	case text.IndexForbidden(p, false) >= 0:
		return "holds a control or bidirectional character or is not UTF-8"
	case strings.Contains(p, `\`):
		return "holds a backslash"
	case p[0] == '/':
		return "is not relative"
	case p[len(p)-1] == '/':
		return "ends with a slash"
	case p != strings.TrimSpace(p):
		return "begins or ends with a blank"
	case !norm.NFC.IsNormalString(p):
		return "is not in Unicode normalisation form C"
	}
	for seg := range strings.SplitSeq(p, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return fmt.Sprintf("has the segment %q", seg)
		}
	}
	return ""
}

// Normalize returns the paths in Unicode normalisation form C, in the same
// order. It fails when one is no path of a manifest (see [CheckPath]) and when
// two become the same.
func Normalize(paths []string) ([]string, error) {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = norm.NFC.String(p)
		if err := CheckPath(out[i]); err != nil {
			return nil, err
		}
	}
	sorted := slices.Clone(out)
	slices.Sort(sorted)
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return nil, fmt.Errorf("two files are named %q once their names are normalised: %w", sorted[i], text.ErrFormat)
		}
	}
	return out, nil
}
