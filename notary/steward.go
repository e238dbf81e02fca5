package notary

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// steward is the service as a participant of its own log: it has a trial of its own,
// under a private code, and says in its trial stream what it does with others'
// statements. It signs nothing else, and none of the log's keys signs for it.
//
//	SV#- | -   its keys: secret
//	SP#- | -   its registration
//
// Both rows are written once, when something is anchored for the first time. A
// database that lost them gets others: the steward is then a new one.
type steward struct {
	key          statement.PrivateKey
	registration *statement.Note
}

var (
	stewardKey          = Row{Partition: "SV#-", Sort: "-"}
	stewardRegistration = Row{Partition: "SP#-", Sort: "-"}
)

const (
	stewardName  = "service"
	stewardTrial = "SERVICE"
)

// steward returns the service's own identity and makes sure that its trial is
// accepted for registration. The operator's list of sponsors is about others.
func (s *Service) steward(ctx context.Context) (*steward, error) {
	v, err := s.store.GetRows(ctx, []Row{stewardKey, stewardRegistration})
	if err != nil {
		return nil, err
	}
	if v[0] == nil {
		row, err := newStewardKeys(s.Now())
		if err != nil {
			return nil, err
		}
		// Whoever is first has made the keys; a crash after it leaves them to the next.
		if err := s.store.AddRows(ctx, []Row{row}); err != nil {
			return nil, err
		}
		if v, err = s.store.GetRows(ctx, []Row{stewardKey, stewardRegistration}); err != nil {
			return nil, err
		}
	}
	key, recovery, at, err := parseStewardKeys(v[0])
	if err != nil {
		return nil, err
	}
	w := &steward{key: key}
	if v[1] != nil {
		w.registration, err = statement.Parse(v[1])
		return w, err
	}
	if w.registration, err = s.registerSteward(key, recovery, at); err != nil {
		return nil, err
	}
	if err := s.acceptOwn(ctx, w, w.registration); err != nil {
		return nil, err
	}
	row := stewardRegistration
	row.Value = w.registration.Raw
	return w, s.store.AddRows(ctx, []Row{row})
}

// registerSteward makes the registration of the service's own trial: the same one
// from the same keys, however often it is made.
func (s *Service) registerSteward(key, recovery statement.PrivateKey, at time.Time) (*statement.Note, error) {
	trial := statement.StreamIDOf(s.Origin, stewardTrial, statement.TrialStream, derive(key, "trial stream"))
	return statement.Sign(&statement.Statement{Log: s.Origin, Trial: stewardTrial,
		StreamName: statement.RegistrationStream, StreamSalt: derive(key, "registration stream"), Kind: statement.KindRegistration,
		Keys: []statement.Key{
			{Role: statement.RoleSponsor, Name: statement.TrialStream, Stream: trial, Key: key.Public()},
			{Role: statement.RoleRecovery, Name: statement.TrialStream, Stream: trial, Key: recovery.Public()},
		}, Time: at, Salt: derive(key, "registration")}, key)
}

// say makes a statement of the service's own: the same one from the same subject.
func (s *Service) say(w *steward, subject []byte, at time.Time, change func(*statement.Statement)) (*statement.Note, error) {
	about := sha256.Sum256(subject)
	n := &statement.Statement{Log: s.Origin, Trial: stewardTrial, StreamName: statement.TrialStream, StreamSalt: derive(w.key, "trial stream"),
		Time: at, Salt: derive(w.key, string(about[:]))}
	change(n)
	return statement.Sign(n, w.key)
}

// acceptOwn puts statements of the service's own into the inbox, unless they are
// sealed already.
func (s *Service) acceptOwn(ctx context.Context, w *steward, notes ...*statement.Note) error {
	var batch []Accepted
	key := w.key.Public().Key
	for _, n := range notes {
		known, err := s.known(ctx, Ref{n.Stream(), n.ID}, n.Raw)
		if err != nil {
			return err
		}
		if !known {
			batch = append(batch, Accepted{Ref: Ref{n.Stream(), n.ID}, Received: s.next(), Lane: binary.BigEndian.Uint64(key[:8]), Note: n.Raw})
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return s.store.Accept(ctx, batch)
}

// derive returns 32 secret bytes for a purpose: what a crash interrupts is said
// again with the same bytes, and so is the same statement.
func derive(k statement.PrivateKey, purpose string) (b [32]byte) {
	key, err := hkdf.Key(sha256.New, []byte(k.String()), nil, "trialnotary/service@v1 "+purpose, 32)
	if err != nil {
		panic(err) // 32 bytes are always to be had
	}
	return [32]byte(key)
}

func newStewardKeys(now time.Time) (Row, error) {
	row := stewardKey
	b := fmt.Appendf(nil, "trialnotary/service@v1\ntime %s\n", text.FormatTime(now))
	for _, name := range []string{stewardName, stewardName + ".recovery"} {
		k, err := statement.GenerateKey(name)
		if err != nil {
			return Row{}, err
		}
		b = fmt.Appendf(b, "key %s\n", k)
	}
	row.Value = b
	return row, nil
}

func parseStewardKeys(b []byte) (key, recovery statement.PrivateKey, at time.Time, err error) {
	r := text.NewReader(b)
	r.Exact("trialnotary/service@v1")
	at = r.Time("time")
	one, two := r.Value("key"), r.Value("key")
	if err = r.Done(); err == nil {
		if key, err = statement.ParsePrivateKey(one); err == nil {
			recovery, err = statement.ParsePrivateKey(two)
		}
	}
	if err != nil {
		err = errors.New("the service's own keys cannot be read") // and nothing of them is in an error
	}
	return key, recovery, at, err
}
