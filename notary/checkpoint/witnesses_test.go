package checkpoint

import (
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/text"
)

func TestParseWitnesses(t *testing.T) {
	c := newCast(t)
	log, own := c.ed.VerifierKey(), c.pq.VerifierKey()
	w := func(i int) string { return c.witness[i].VerifierKey() }
	file := "# three, two are enough\r\n" +
		"witness w1 " + w(0) + " https://w1.example/\n" +
		"witness\tw2 " + w(1) + " https://w2.example/\n\n" +
		"witness w3 " + w(2) + " https://w3.example/\n" +
		"group ws 2 w1 w2 w3\nquorum ws\n"
	p, ws, err := ParseWitnesses(log, own, []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(ws) != 3 || ws[1] != (Witness{"w2", w(1), "https://w2.example/"}) {
		t.Errorf("witnesses %v", ws)
	}
	if strings.Contains(string(p.Bytes()), "https") {
		t.Errorf("the policy for everyone has an address:\n%s", p.Bytes())
	}
	// The log's own key and two of three.
	if !p.quorum.met(func(m *member) bool { return m.own || m.name == "w1" || m.name == "w3" }) ||
		p.quorum.met(func(m *member) bool { return m.own || m.name == "w3" }) ||
		p.quorum.met(func(m *member) bool { return !m.own }) {
		t.Errorf("the quorum is another one:\n%s", p.Bytes())
	}

	none, ws, err := ParseWitnesses(log, own, []byte("witness w1 "+w(0)+" https://w1.example/\nquorum none\n"))
	if err != nil || len(ws) != 1 || !none.quorum.met(func(m *member) bool { return m.own }) {
		t.Errorf("witnesses that are asked and not needed: %v, %v", ws, err)
	}
	if _, ws, err := ParseWitnesses(log, own, []byte("# nobody yet\n")); err != nil || ws != nil {
		t.Errorf("a file without witnesses: %v, %v", ws, err)
	}

	good := "witness w1 " + w(0) + " https://w1.example/\n"
	for name, file := range map[string]string{
		"line 1 has no address":                    "witness w1 " + w(0) + "\nquorum w1\n",
		"the last line, quorum NAME":               good,
		"line 3 stands after the quorum":           good + "quorum w1\nwitness w2 " + w(1) + " https://w2.example/\n",
		"line 2 is no witness, group or quorum":    good + "log " + log + "\nquorum w1\n",
		"has a member \"w9\"":                      good + "quorum w9\n",
		"has the same key":                         good + "witness w2 " + w(0) + " https://w2.example/\nquorum w1\n",
		"defines \"" + c.ed.Name() + "\" a second": "witness " + c.ed.Name() + " " + w(0) + " https://w.example/\nquorum none\n",
		"line 1 has a control character":           "witness w1\x00 " + w(0) + " https://w.example/\nquorum none\n",
		"already is one of a group":                good + "group a any w1\nquorum w1\n",
	} {
		if _, _, err := ParseWitnesses(log, own, []byte(file)); !errors.Is(err, text.ErrFormat) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
