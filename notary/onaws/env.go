package onaws

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/statement"
	"trialnotary/notary/timestamp"
)

// Names of the environment variables of the functions. The infrastructure sets
// them under these names and nowhere else are they written down.
const (
	EnvOrigin      = "TRIALNOTARY_ORIGIN"
	EnvTable       = "TRIALNOTARY_TABLE"
	EnvLogBucket   = "TRIALNOTARY_LOG_BUCKET"
	EnvStateBucket = "TRIALNOTARY_STATE_BUCKET"
	EnvSiteBucket  = "TRIALNOTARY_SITE_BUCKET"
	EnvSigningKeys = "TRIALNOTARY_SIGNING_KEYS"
	EnvOldKeys     = "TRIALNOTARY_OLD_KEYS" // those before, which hand the log over
	EnvSponsors    = "TRIALNOTARY_SPONSORS"
	EnvWitnesses   = "TRIALNOTARY_WITNESSES"
	EnvTSAs        = "TRIALNOTARY_TSAS"
	EnvRetention   = "TRIALNOTARY_RETENTION"

	// EnvLocalSeed is for an emulator whose KMS has no ML-DSA, and for nothing else:
	// 32 bytes in base64, from which the log's ML-DSA-44 key is made in memory. It is
	// refused unless AWS_ENDPOINT_URL is plain http, which AWS never is.
	EnvLocalSeed = "TRIALNOTARY_LOCAL_MLDSA_SEED"

	// EnvMeter, if it has any value, makes a function log what each event makes it
	// ask of AWS.
	EnvMeter = "TRIALNOTARY_METER"

	envEndpoint = "AWS_ENDPOINT_URL" // the SDK reads it by itself
)

// Env is what a function is told by its environment.
type Env struct {
	Origin      string // names the log for ever
	Table       string
	LogBucket   string   // public log, Object Lock
	StateBucket string   // private: staging and map nodes
	SiteBucket  string   // the mutable `checkpoint`
	SigningKeys []string // KMS key ids or ARNs
	OldKeys     []string // of the keys before them, none if the log has its first
	Sponsors    []statement.PublicKey
	Witnesses   string    // lines as [checkpoint.ParseWitnesses] reads them, "" for none
	TSAs        string    // as [timestamp.ParseAsked] reads them, "" for none
	Retention   Retention // of the log bucket
	LocalSeed   []byte    // nil but with an emulator
	Endpoint    string    // of an emulator, "" on AWS
	Meter       bool      // log what each event costs
}

// meaning says of each variable that must be set what it is.
var meaning = [...]struct{ name, sentence string }{
	{EnvOrigin, "the log's name, for ever, like log.example.org/trials"},
	{EnvTable, "the DynamoDB table of inbox, head and rows"},
	{EnvLogBucket, "the S3 bucket of the public log, with Object Lock"},
	{EnvStateBucket, "the private S3 bucket of staging objects and map nodes"},
	{EnvSiteBucket, "the S3 bucket of the public `checkpoint`"},
	{EnvSigningKeys, "ids or ARNs of the KMS keys that sign checkpoints, separated by commas: one ECC_NIST_EDWARDS25519 and one ML_DSA_44"},
	{EnvRetention, "how long objects of the log are locked, in whole days or years, like 30d or 25y"},
}

// ParseEnv reads the environment. Its error has one sentence for each variable
// that is missing or wrong, all at once.
func ParseEnv(getenv func(string) string) (Env, error) {
	var errs []error
	value := map[string]string{}
	for _, m := range meaning {
		value[m.name] = strings.TrimSpace(getenv(m.name))
		if value[m.name] == "" {
			errs = append(errs, fmt.Errorf("%s is not set: it is %s", m.name, m.sentence))
		}
	}
	check := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	e := Env{Origin: value[EnvOrigin], Table: value[EnvTable], LogBucket: value[EnvLogBucket], StateBucket: value[EnvStateBucket],
		SiteBucket: value[EnvSiteBucket], SigningKeys: list(value[EnvSigningKeys]), OldKeys: list(getenv(EnvOldKeys)),
		Witnesses: getenv(EnvWitnesses), TSAs: getenv(EnvTSAs), Endpoint: getenv(envEndpoint), Meter: getenv(EnvMeter) != ""}
	if e.Origin != "" {
		check(EnvOrigin, checkpoint.ValidOrigin(e.Origin))
	}
	var err error
	if s := value[EnvRetention]; s != "" {
		e.Retention, err = ParseRetention(s)
		check(EnvRetention, err)
	}
	for _, vkey := range list(getenv(EnvSponsors)) {
		k, err := statement.ParsePublicKey(vkey)
		if err != nil {
			check(EnvSponsors, fmt.Errorf("%q is not a sponsor's verifier key, as in FILE.pub: %w", vkey, err))
			continue
		}
		e.Sponsors = append(e.Sponsors, k)
	}
	_, _, err = timestamp.ParseAsked([]byte(e.TSAs))
	check(EnvTSAs, err)
	e.LocalSeed, err = parseLocalSeed(strings.TrimSpace(getenv(EnvLocalSeed)), e.Endpoint)
	check(EnvLocalSeed, err)
	if len(errs) > 0 {
		return Env{}, errors.Join(errs...)
	}
	return e, nil
}

// list splits at commas and line feeds.
func list(s string) []string {
	var all []string
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '\n' }) {
		if f = strings.TrimSpace(f); f != "" {
			all = append(all, f)
		}
	}
	return all
}

func parseLocalSeed(s, endpoint string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	if !strings.HasPrefix(endpoint, "http://") {
		return nil, errors.New("a key outside KMS is for an emulator alone, and AWS_ENDPOINT_URL does not name one: create an ML_DSA_44 key in KMS instead")
	}
	seed, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(seed) != 32 {
		return nil, errors.New("not 32 bytes in base64") // the value is not repeated
	}
	return seed, nil
}
