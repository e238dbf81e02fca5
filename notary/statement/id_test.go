package statement

import (
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/text"
)

func TestIDsHaveOneForm(t *testing.T) {
	id := IDOf([]byte("x"))
	if back, err := ParseID(id.String()); err != nil || back != id {
		t.Errorf("%s, %v", back, err)
	}
	stream := streamID("site-001")
	if back, err := ParseStreamID(stream.String()); err != nil || back != stream {
		t.Errorf("%s, %v", back, err)
	}
	for _, s := range []string{"", id.String()[:62], id.String() + "00", strings.Repeat("0", 1000), strings.ToUpper(id.String()), strings.Repeat("g", 64), strings.Repeat("\xff", 64)} {
		if _, err := ParseID(s); !errors.Is(err, text.ErrFormat) {
			t.Errorf("id %q: %v", s, err)
		}
		if _, err := ParseStreamID(s); !errors.Is(err, text.ErrFormat) {
			t.Errorf("stream id %q: %v", s, err)
		}
	}
}

// The stream id of the formats, computed here from its text alone.
func TestStreamID(t *testing.T) {
	want := IDOf([]byte("trialnotary/stream@v1\nlog.example/trials\nNCT01234567\nregistration\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"))
	if got := StreamIDOf("log.example/trials", "NCT01234567", RegistrationStream, [32]byte{}); got != StreamID(want) {
		t.Errorf("%s, want %s", got, want)
	}
	// A slash in a trial id or a dot in a name never makes two streams one.
	if StreamIDOf("a", "B", "c", [32]byte{}) == StreamIDOf("a", "B.c", "", [32]byte{}) {
		t.Error("two streams have one id")
	}
}
