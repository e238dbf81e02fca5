package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// KeyVersion is the comment line of a key file.
const KeyVersion = "trialnotary/key@v1"

// maxWorkFactor bounds the memory and time a hostile key file can ask for: 2^20
// is some five seconds.
const maxWorkFactor = 20

// ErrPassphrase: the passphrase does not open the key file.
var ErrPassphrase = errors.New("the passphrase is not the one of this key")

// Key is a key file. The public half stands in the open, so that it can be shown
// without the passphrase; the other half is under one (age, scrypt, armored) or,
// for automation, plain:
//
//	trialnotary/key@v1
//	-- profile --
//	public site-042.jdoe+4665f3df+Af3fqrbw…
//	-- secret.age --
//	-----BEGIN AGE ENCRYPTED FILE-----
//	…
type Key struct {
	Public statement.PublicKey
	Locked bool
	secret []byte // of the last part
}

// NewKey returns the key file of a key under a passphrase; "" for a plain one.
func NewKey(k statement.PrivateKey, passphrase string) (*Key, error) {
	out := &Key{Public: k.Public(), secret: []byte(k.String() + "\n")}
	if passphrase == "" {
		return out, nil
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	a := armor.NewWriter(&b)
	w, err := age.Encrypt(a, to)
	if err == nil {
		_, err = w.Write(out.secret)
		err = errors.Join(err, w.Close(), a.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("lock key: %w", err)
	}
	out.Locked, out.secret = true, b.Bytes()
	return out, nil
}

// ParseKey parses a key file. Errors never hold a secret.
func ParseKey(b []byte) (*Key, error) {
	k := &Key{}
	r := readProfile(b, KeyVersion, "key file", func(t *text.Reader) {
		var err error
		if k.Public, err = statement.ParsePublicKey(t.Value("public")); err != nil && t.Err() == nil {
			t.Fail("does not hold a verifier key")
		}
	})
	if k.Locked = r.next("secret.age"); k.Locked {
		k.secret = r.take("secret.age")
	} else {
		k.secret = r.take("secret")
	}
	return k, r.done(b, k.Bytes)
}

// Bytes returns the file.
func (k *Key) Bytes() ([]byte, error) {
	w := writeProfile(KeyVersion, "public "+k.Public.String())
	if k.Locked {
		w.add("secret.age", k.secret)
	} else {
		w.add("secret", k.secret)
	}
	return w.bytes()
}

// Open returns the private key. The passphrase is not read where there is none.
// Errors wrap [ErrPassphrase] if it is the wrong one.
func (k *Key) Open(passphrase string) (statement.PrivateKey, error) {
	secret := k.secret
	if k.Locked {
		with, err := age.NewScryptIdentity(passphrase)
		if err != nil {
			return statement.PrivateKey{}, ErrPassphrase // empty
		}
		with.SetMaxWorkFactor(maxWorkFactor)
		open, err := age.Decrypt(armor.NewReader(bytes.NewReader(secret)), with)
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return statement.PrivateKey{}, ErrPassphrase
		}
		if err == nil {
			secret, err = io.ReadAll(io.LimitReader(open, 1024))
		}
		if err != nil {
			return statement.PrivateKey{}, fmt.Errorf("the key file is damaged: %w", err)
		}
	}
	line, ok := strings.CutSuffix(string(secret), "\n")
	p, err := statement.ParsePrivateKey(line)
	switch {
	case !ok || err != nil:
		return statement.PrivateKey{}, errors.New("the key file does not hold a private key")
	case p.Public() != k.Public:
		return statement.PrivateKey{}, errors.New("the key file names another public key than its private one")
	}
	return p, nil
}
