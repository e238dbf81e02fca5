package statement

import (
	"fmt"
	"strings"

	"trialnotary/notary/text"
)

// Names of the two streams every trial has.
const (
	RegistrationStream = "registration" // one per trial id, registrations only
	TrialStream        = "trial"        // grants of keys, protocol, plan
)

// ValidName reports whether s is a stream or key name: [a-z0-9][a-z0-9._-]{0,63}.
func ValidName(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || i > 0 && (c == '.' || c == '_' || c == '-')) {
			return false
		}
	}
	return true
}

// ValidTrial reports whether s is a normalised trial id:
// [A-Z0-9][A-Z0-9._/-]{0,63}.
func ValidTrial(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || i > 0 && (c == '.' || c == '_' || c == '/' || c == '-')) {
			return false
		}
	}
	return true
}

// PublicTrial reports whether trial is an id of a public registry: exactly
// NCT\d{8}, ISRCTN\d{8} or \d{4}-\d{6}-\d{2}(-\d{2})? (EudraCT, EU CT). The
// registration stream of a public id has no salt, so each log has one of it.
func PublicTrial(trial string) bool {
	for _, shape := range [...]string{"NCT00000000", "ISRCTN00000000", "0000-000000-00", "0000-000000-00-00"} {
		if hasShape(trial, shape) {
			return true
		}
	}
	return false
}

// hasShape reports whether s equals shape, where a 0 in shape stands for any
// ASCII digit.
func hasShape(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if shape[i] == '0' {
			if s[i] < '0' || s[i] > '9' {
				return false
			}
		} else if s[i] != shape[i] {
			return false
		}
	}
	return true
}

// NormalizeTrial turns a trial id as people write it into the one form of it:
// upper case, typographic hyphens as "-", no blanks around it, and none inside
// a public id ("nct 0123 4567" is NCT01234567). A blank inside any other id is
// an error, as is every character outside [A-Z0-9._/-].
func NormalizeTrial(s string) (string, error) {
	n := strings.NewReplacer("\u2010", "-", "\u2011", "-", "\u2012", "-", "\u2013", "-", "\u2212", "-").Replace(strings.TrimSpace(s))
	n = strings.Map(func(r rune) rune {
		// Only ASCII: Unicode case mapping would turn other letters, such as ſ,
		// into letters of the alphabet.
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, n)
	if joined := strings.Join(strings.Fields(n), ""); PublicTrial(joined) {
		return joined, nil
	}
	if !ValidTrial(n) {
		return "", fmt.Errorf("%q is not a trial id: 1 to 64 of A–Z, 0–9 and, after the first, . _ / -: %w", text.Visible(s), text.ErrFormat)
	}
	return n, nil
}

// TrialFingerprint returns the fingerprint of the trial whose registration has
// that id: 40 upper case hex digits in groups of four, joined by "-".
func TrialFingerprint(registration ID) string { return text.Fingerprint(registration) }

// ParseFingerprint returns the one form of a fingerprint as people type it: case,
// blanks and dashes do not matter, the 40 hex digits do.
func ParseFingerprint(s string) (string, error) {
	var digits []byte
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9', 'A' <= r && r <= 'F':
			digits = append(digits, byte(r))
		case 'a' <= r && r <= 'f':
			digits = append(digits, byte(r-'a'+'A'))
		case r == '-' || r == ' ':
		default:
			return "", fmt.Errorf("%q is not a fingerprint: it has characters other than hex digits and dashes: %w", text.Visible(s), text.ErrFormat)
		}
	}
	if len(digits) != 40 {
		return "", fmt.Errorf("%q is not a fingerprint: it has %d hex digits, want 40: %w", text.Visible(s), len(digits), text.ErrFormat)
	}
	groups := make([]string, 10)
	for i := range groups {
		groups[i] = string(digits[4*i : 4*i+4])
	}
	return strings.Join(groups, "-"), nil
}
