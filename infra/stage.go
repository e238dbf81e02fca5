package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws"
)

// stage is one deployment: what differs between local, dev and prod, and what its
// operator says of it.
type stage struct {
	Name      string // "local", "dev" or "prod"
	Origin    string // names the log for ever
	Retention onaws.Retention
	Sponsors  string // verifier keys, comma-separated
	Witnesses string // lines as [checkpoint.ParseWitnesses] reads them, "" for none
	TSAs      string // as [timestamp.ParseAsked] reads them, "" for none
	Reserve   bool   // reserved concurrency; new accounts have too little of it
	Machine   string // GOARCH of the functions
	Keys      int    // which keys the log signs with: its first, its second …

	Email       string // told of alarms
	Subscribers string // addresses told of batches, comma-separated
	Domain      string // of the distribution, with
	Certificate string // its ARN, in us-east-1
	Replica     string // ARN of a bucket in another account and Region
	ReplicaOf   string // that account
	Dashboard   bool
}

// parameter is a key of `-c key=value`.
type parameter struct{ name, what string }

var parameters = []parameter{
	{"stage", "local, dev or prod"},
	{"origin", "the log's name, for ever: log.example.org/trials"},
	{"retention", "how long the log is locked: 30d, 25y"},
	{"sponsors", "verifier keys that may register trials, comma-separated, or @FILE with one a line"},
	{"witnesses", "witness, group and quorum lines of the publication policy, comma-separated, or @FILE"},
	{"tsas", "@FILE of time-stamping authorities: a name and a URL a line, then their root certificates as PEM"},
	{"reserve", "false: no reserved concurrency, for an account whose limit is 10"},
	{"keys", "2, 3, …: the log's next keys; see the README before changing it"},
	{"email", "address told of alarms"},
	{"subscribers", "addresses told of every batch with entries, comma-separated"},
	{"domain", "host name of the distribution"},
	{"certificate", "ARN of its certificate in us-east-1"},
	{"replica", "ARN of a bucket, with Object Lock, in another account and Region"},
	{"replica-account", "account of that bucket"},
	{"dashboard", "true: a dashboard, which costs more than the service at rest"},
}

func parameterNames() []string {
	var names []string
	for _, p := range parameters {
		names = append(names, p.name)
	}
	return names
}

func isParameter(name string) bool { return slices.Contains(parameterNames(), name) }

// Local reports whether the stage is for an emulator.
func (s *stage) Local() bool { return s.Name == "local" }

// Prod reports whether real trials rely on the stage.
func (s *stage) Prod() bool { return s.Name == "prod" }

// readStage reads a stage from its parameters; get returns "" for one not given.
// Production has no defaults for what cannot be changed later.
func readStage(get func(string) string) (*stage, error) {
	s := &stage{
		Name: get("stage"), Origin: get("origin"),
		Email: get("email"), Subscribers: get("subscribers"), Domain: get("domain"), Certificate: get("certificate"),
		Replica: get("replica"), ReplicaOf: get("replica-account"),
		Machine: "arm64",
	}
	length := get("retention")
	var missing []string
	switch s.Name {
	case "local", "dev":
		if s.Name == "local" {
			s.Machine = runtime.GOARCH
		}
		if s.Origin == "" {
			s.Origin = "trialnotary.invalid/" + s.Name
		}
		if length == "" {
			length = "1d"
		}
	case "prod":
		for _, name := range []string{"origin", "retention", "sponsors"} {
			if get(name) == "" {
				missing = append(missing, name)
			}
		}
	case "":
		return nil, errors.New("which stage? -stage local, dev or prod")
	default:
		return nil, fmt.Errorf("stage %q: there are local, dev and prod", s.Name)
	}
	if missing != nil {
		return nil, fmt.Errorf("prod has no default for %s: say -c %s=…; it cannot be changed once trials rely on it",
			strings.Join(missing, ", "), missing[0])
	}
	var err error
	if s.Sponsors, err = keys("sponsors", get("sponsors")); err != nil {
		return nil, err
	}
	if s.Witnesses, err = readWitnesses(s.Origin, get("witnesses")); err != nil {
		return nil, err
	}
	if s.TSAs, err = readTSAs(get("tsas")); err != nil {
		return nil, err
	}
	if s.Reserve, err = truth("reserve", get("reserve"), true); err != nil {
		return nil, err
	}
	if s.Dashboard, err = truth("dashboard", get("dashboard"), false); err != nil {
		return nil, err
	}
	if s.Keys, err = generation(get("keys")); err != nil {
		return nil, err
	}
	if s.Local() && s.Keys > 1 {
		return nil, errors.New("keys: an emulator's one ML-DSA-44 key cannot be changed; only the stages on AWS have further ones")
	}
	if err := s.readable(length); err != nil {
		return nil, err
	}
	if (s.Domain == "") != (s.Certificate == "") {
		return nil, errors.New("domain and certificate go together")
	}
	if (s.Replica == "") != (s.ReplicaOf == "") {
		return nil, errors.New("replica and replica-account go together")
	}
	return s, nil
}

// readable parses what the functions will be told as they will, so that what they
// would refuse at their start is refused before it is deployed.
func (s *stage) readable(length string) error {
	told := map[string]string{onaws.EnvOrigin: s.Origin, onaws.EnvRetention: length, onaws.EnvSponsors: s.Sponsors,
		onaws.EnvWitnesses: s.Witnesses, onaws.EnvTSAs: s.TSAs}
	for name, size := range made {
		told[name] = strings.Repeat("m", size)
	}
	if s.Keys > 1 {
		told[onaws.EnvOldKeys] = told[onaws.EnvSigningKeys]
	}
	env, err := onaws.ParseEnv(func(name string) string { return told[name] })
	if err != nil {
		return fmt.Errorf("the functions would not start: %w", err)
	}
	s.Retention = env.Retention
	// Lambda measures it so.
	if b, err := json.Marshal(told); err != nil || len(b) > maxEnvironment {
		return fmt.Errorf("the functions' environment would have %d bytes, and Lambda takes %d: name fewer sponsors, witnesses with Ed25519 keys, or fewer time-stamping authorities", len(b), maxEnvironment)
	}
	return nil
}

// maxEnvironment is what Lambda takes of a function's variables together, as JSON.
const maxEnvironment = 4096

// made are the variables whose values the deployment makes, with their sizes at most.
var made = map[string]int{onaws.EnvTable: 80, onaws.EnvLogBucket: 63, onaws.EnvStateBucket: 63, onaws.EnvSiteBucket: 63,
	onaws.EnvSigningKeys: 2 * len("arn:aws-us-gov:kms:ap-southeast-99:123456789012:key/mrk-00000000-0000-0000-0000-000000000000,")}

// generation reads which keys the log signs with.
func generation(value string) (int, error) {
	if value == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > checkpoint.MaxRetired || strconv.Itoa(n) != value {
		return 0, fmt.Errorf("keys %q: it is a number, 1 for the log's first keys", value)
	}
	return n, nil
}

// keys reads a comma-separated list, or from @FILE one item a line.
func keys(name, value string) (string, error) {
	if file, ok := strings.CutPrefix(value, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		value = string(b)
	}
	items := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' })
	return strings.Join(items, ","), nil
}

func truth(name, value string, otherwise bool) (bool, error) {
	if value == "" {
		return otherwise, nil
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("%s=%q: true or false", name, value)
	}
	return b, nil
}
