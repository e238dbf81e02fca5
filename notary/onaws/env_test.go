package onaws

import (
	"bytes"
	"encoding/base64"
	"maps"
	"strings"
	"testing"

	"trialnotary/notary/statement"
)

func TestEnvironment(t *testing.T) {
	key, err := statement.GenerateKey("acme")
	if err != nil {
		t.Fatal(err)
	}
	other, err := statement.GenerateKey("beta")
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{
		EnvOrigin: "log.example/trials", EnvTable: "t", EnvLogBucket: "l", EnvStateBucket: "s", EnvSiteBucket: "w",
		EnvSigningKeys: "arn:aws:kms:eu-central-1:1:key/1, 2", EnvRetention: "25y",
		EnvSponsors: key.Public().String() + "\n" + other.Public().String() + ",", EnvWitnesses: "witness w1 …\nquorum w1",
	}
	seed := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))
	e, err := ParseEnv(func(name string) string { return good[name] })
	if err != nil {
		t.Fatal(err)
	}
	if len(e.SigningKeys) != 2 || e.SigningKeys[1] != "2" || e.Retention != (Retention{Years: 25}) || len(e.Sponsors) != 2 || e.Sponsors[1] != other.Public() || e.Witnesses != good[EnvWitnesses] || e.LocalSeed != nil {
		t.Errorf("%+v", e)
	}
	for _, c := range []struct {
		name, value, want string
	}{
		{EnvOrigin, "", EnvOrigin + " is not set: it is the log's name"},
		{EnvOrigin, "a b", EnvOrigin + ":"},
		{EnvTable, " ", EnvTable + " is not set: it is the DynamoDB table"},
		{EnvLogBucket, "", EnvLogBucket + " is not set"},
		{EnvStateBucket, "", EnvStateBucket + " is not set"},
		{EnvSiteBucket, "", EnvSiteBucket + " is not set"},
		{EnvSigningKeys, "", EnvSigningKeys + " is not set: it is ids or ARNs"},
		{EnvRetention, "soon", `"soon" is not a number of days or years`},
		{EnvSponsors, "acme", `"acme" is not a sponsor's verifier key`},
		{EnvTSAs, "https://tsa.example", "line 1 is not a name and an address"},
		{EnvTSAs, "office https://tsa.example", "no certificate to trust office under"},
		{EnvLocalSeed, seed, "create an ML_DSA_44 key in KMS instead"},
	} {
		bad := maps.Clone(good)
		bad[c.name] = c.value
		_, err := ParseEnv(func(name string) string { return bad[name] })
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s=%q: %v, want one sentence with %q", c.name, c.value, err, c.want)
		}
	}
	// All that is missing is said at once.
	_, err = ParseEnv(func(string) string { return "" })
	if n := strings.Count(err.Error(), "is not set: it is"); n != len(meaning) {
		t.Errorf("%d sentences, want %d:\n%v", n, len(meaning), err)
	}
	// The seed is for an emulator; a wrong one is not repeated.
	for _, endpoint := range []string{"http://127.0.0.1:4566", "https://kms.eu-central-1.amazonaws.com"} {
		local := maps.Clone(good)
		local[EnvLocalSeed], local[envEndpoint] = seed, endpoint
		e, err := ParseEnv(func(name string) string { return local[name] })
		if ok := strings.HasPrefix(endpoint, "http:"); ok != (err == nil) || ok && len(e.LocalSeed) != 32 {
			t.Errorf("%s: %v", endpoint, err)
		}
		local[EnvLocalSeed] = seed[4:]
		if _, err := ParseEnv(func(name string) string { return local[name] }); err == nil || strings.Contains(err.Error(), seed[4:]) {
			t.Errorf("a short seed: %v", err)
		}
	}
}
