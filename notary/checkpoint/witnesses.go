package checkpoint

import (
	"fmt"
	"strings"

	"trialnotary/notary/text"
)

// ParseWitnesses returns the publication policy of a log with those two verifier
// keys whose operator asks the witnesses of a file, and the witnesses with their
// addresses. The file has witness, group and quorum lines of tlog-policy:
//
//	witness w1 witness1.example+aaced669+BMKj4gBN… https://witness1.example/
//	witness w2 witness2.example+5d9dd7c0+BBueLD4m… https://witness2.example/
//	group ws any w1 w2
//	quorum ws
//
// The policy asks for that quorum and for the log's own ML-DSA-44 key; with
// "quorum none" for that key alone. Addresses are left out of it: it is for
// everyone, and evidence has no address that is followed. Errors name the line.
func ParseWitnesses(log, mldsa string, file []byte) (*Policy, []Witness, error) {
	if len(file) > MaxPolicySize {
		return nil, nil, fmt.Errorf("witnesses: %d bytes, at most %d are allowed: %w", len(file), MaxPolicySize, text.ErrFormat)
	}
	origin, _, _ := strings.Cut(mldsa, "+")
	own, err := NewLogPolicy(log, mldsa)
	if err != nil {
		return nil, nil, err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "log %s\nwitness %s %s\n", log, origin, mldsa)
	urls := map[string]string{}
	quorum := ""
	for i, line := range strings.Split(string(file), "\n") {
		fail := func(format string, args ...any) error {
			return fmt.Errorf("witnesses: line %d %s: %w", i+1, fmt.Sprintf(format, args...), text.ErrFormat)
		}
		line = strings.TrimSuffix(line, "\r")
		if text.IndexForbidden(strings.ReplaceAll(line, "\t", " "), false) >= 0 {
			return nil, nil, fail("has a control character")
		}
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0][0] == '#':
		case quorum != "":
			return nil, nil, fail("stands after the quorum, which is the last")
		case f[0] == "witness" && len(f) == 4:
			urls[f[1]] = f[3]
			fmt.Fprintf(&out, "witness %s %s\n", f[1], f[2])
		case f[0] == "witness" && len(f) == 3:
			return nil, nil, fail("has no address: witness NAME KEY https://…")
		case f[0] == "group" && len(f) >= 4:
			fmt.Fprintf(&out, "%s\n", strings.Join(f, " "))
		case f[0] == "quorum" && len(f) == 2:
			quorum = f[1]
		default:
			return nil, nil, fail("is no witness, group or quorum line")
		}
	}
	switch {
	case quorum == "" && len(urls) == 0:
		return own, nil, nil
	case quorum == "":
		return nil, nil, fmt.Errorf("witnesses: the last line, quorum NAME or quorum none, is missing: %w", text.ErrFormat)
	case quorum == "none":
		fmt.Fprintf(&out, "group final all %s\nquorum final\n", origin)
	default:
		fmt.Fprintf(&out, "group final all %s %s\nquorum final\n", origin, quorum)
	}
	p, err := ParsePolicy([]byte(out.String()))
	if err != nil {
		return nil, nil, fmt.Errorf("witnesses: %w", err)
	}
	ws := p.Witnesses()
	for i := range ws {
		ws[i].URL = urls[ws[i].Name]
	}
	return p, ws, nil
}
