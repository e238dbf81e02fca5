package statement

import (
	"crypto/ed25519"
	"crypto/sha256"
	"testing"
	"time"
)

const origin = "log.example/trials"

// testKey returns a key drawn from its name: the same in every run.
func testKey(name string) PrivateKey {
	seed := sha256.Sum256([]byte("test key " + name))
	return PrivateKey{name, ed25519.NewKeyFromSeed(seed[:])}
}

// testSalt returns 32 bytes drawn from what.
func testSalt(what string) [32]byte { return sha256.Sum256([]byte("test salt " + what)) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// streamID is the id of a stream of the trial NCT01234567.
func streamID(name string) StreamID {
	return StreamIDOf(origin, "NCT01234567", name, testSalt(name))
}

// said returns a statement that stands in a stream of the trial NCT01234567.
func said(stream string, kind Kind) Statement {
	s := Statement{
		Log: origin, Trial: "NCT01234567", StreamName: stream, StreamSalt: testSalt(stream),
		Kind: kind, Time: noon, Salt: testSalt("statement"),
	}
	if kind.needsReason() {
		s.Reason = "as agreed"
	}
	return s
}

func registration() Statement {
	s := said(RegistrationStream, KindRegistration)
	s.StreamSalt = [32]byte{}
	s.Keys = []Key{
		{RoleSponsor, TrialStream, streamID(TrialStream), testKey("acme").Public()},
		{RoleRecovery, TrialStream, streamID(TrialStream), testKey("acme.recovery").Public()},
	}
	return s
}

func granting(kind Kind, role Role, stream, key string) Statement {
	s := said(TrialStream, kind)
	s.Keys = []Key{{role, stream, streamID(stream), testKey(key).Public()}}
	return s
}

func dataset(stream string) Statement {
	s := said(stream, KindDataset)
	s.Dataset = &Dataset{testSalt("root"), 3, 35}
	return s
}

func sign(t testing.TB, s Statement, key string) *Note {
	t.Helper()
	n, err := Sign(&s, testKey(key))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
