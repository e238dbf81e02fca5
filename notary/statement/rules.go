package statement

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"trialnotary/notary/text"
)

// fault is a broken rule and the line that breaks it.
type fault struct {
	key string // first word of the line
	nth int    // which of the lines that begin so, from 0
	why string // completes "the line …"
}

func broken(key, why string, a ...any) *fault { return &fault{key, 0, fmt.Sprintf(why, a...)} }

func brokenAt(key string, nth int, why string, a ...any) *fault {
	return &fault{key, nth, fmt.Sprintf(why, a...)}
}

// check returns the first rule of the format (section Statement) that s breaks.
// It is the same for writing and reading, so neither knows more than the other.
func (s *Statement) check() *fault {
	for _, part := range [...]func(*Statement) *fault{
		(*Statement).checkPlace, (*Statement).checkContent, (*Statement).checkReferences,
		(*Statement).checkKeys, (*Statement).checkRegistration, (*Statement).checkTimes,
	} {
		if f := part(s); f != nil {
			return f
		}
	}
	return nil
}

// checkPlace: where the statement stands.
func (s *Statement) checkPlace() *fault {
	switch {
	case s.Log == "" || len(s.Log) > MaxOrigin || strings.ContainsRune(s.Log, '+') || strings.ContainsFunc(s.Log, unicode.IsSpace) || text.IndexForbidden(s.Log, false) >= 0:
		return broken("log", "does not hold an origin, 1 to %d bytes without blanks and +", MaxOrigin)
	case !ValidTrial(s.Trial):
		return broken("trial", "does not hold a trial id [A-Z0-9][A-Z0-9._/-]{0,63}")
	case !ValidName(s.StreamName):
		return broken("stream", "does not hold a stream name [a-z0-9][a-z0-9._-]{0,63}")
	case !s.Kind.Known():
		return broken("kind", "does not hold a known kind")
	}
	switch registration := s.StreamName == RegistrationStream; {
	case registration != (s.Kind == KindRegistration):
		return broken("stream", "is wrong: a registration, and nothing else, stands in the stream %q", RegistrationStream)
	case s.Kind.keys() == 1 && s.StreamName != TrialStream:
		return broken("stream", "is wrong: a statement of kind %s stands in the stream %q", s.Kind, TrialStream)
	case registration && PublicTrial(s.Trial) && s.StreamSalt != [32]byte{}:
		return broken("stream", "has a salt, and the registration stream of a public id has 32 zero bytes")
	case !(registration && PublicTrial(s.Trial)) && s.StreamSalt == [32]byte{}:
		return broken("stream", "has a salt of zero bytes, which only the registration stream of a public id has")
	}
	return nil
}

// checkContent: label, dataset, signature manifestation.
func (s *Statement) checkContent() *fault {
	allowed, required := s.Kind.Content()
	switch {
	case s.Label != "" && !plain(s.Label, MaxLabel):
		return broken("label", "does not hold a text of 1 to %d bytes", MaxLabel)
	case s.Dataset != nil && !allowed:
		return broken("dataset", "is not allowed in kind %s", s.Kind)
	case s.Dataset == nil && required:
		return broken("dataset", "is missing: required in kind %s", s.Kind)
	case s.Dataset != nil && s.Dataset.Files == 0:
		return broken("dataset", "counts no files, and a manifest has at least one")
	case s.Meaning != "" && !s.Meaning.Known():
		return broken("meaning", "does not hold a known meaning")
	case s.Meaning != "" && s.Signer == "":
		return broken("signer", "is missing: required with meaning")
	case s.Meaning == "" && s.Signer != "":
		return broken("meaning", "is missing: required with signer")
	case s.Signer != "" && !plain(s.Signer, MaxPerson):
		return broken("signer", "does not hold a name of 1 to %d bytes", MaxPerson)
	}
	return nil
}

// checkReferences: supersedes, about, reason.
func (s *Statement) checkReferences() *fault {
	if len(s.About) > MaxAbout {
		return brokenAt("about", MaxAbout, "is one too many: at most %d are allowed", MaxAbout)
	}
	if i := repeated(s.About); i >= 0 {
		return brokenAt("about", i, "repeats another")
	}
	switch {
	case s.Kind == KindSuccession && len(s.About) == 0:
		return broken("about", "is missing: a succession names the statement that granted the old key")
	case s.Kind == KindSuccession && len(s.About) > 1:
		return brokenAt("about", 1, "is one too many: a succession names one statement, which granted the old key")
	case s.Reason != "" && !plain(s.Reason, MaxReason):
		return broken("reason", "does not hold a text of 1 to %d bytes", MaxReason)
	case s.Reason == "" && s.Supersedes != nil:
		return broken("reason", "is missing: required with supersedes")
	case s.Reason == "" && s.Kind.needsReason():
		return broken("reason", "is missing: required in kind %s", s.Kind)
	}
	return nil
}

// checkKeys: key, person, until.
func (s *Statement) checkKeys() *fault {
	switch want := s.Kind.keys(); {
	case len(s.Keys) > want:
		return brokenAt("key", want, "is one too many: kind %s has %d", s.Kind, want)
	case len(s.Keys) < want:
		return brokenAt("key", len(s.Keys), "is missing: kind %s has %d", s.Kind, want)
	}
	for i, k := range s.Keys {
		switch {
		case !k.Role.Known():
			return brokenAt("key", i, "does not hold a known role")
		case !ValidName(k.Name):
			return brokenAt("key", i, "does not hold a stream name [a-z0-9][a-z0-9._-]{0,63}")
		case !ValidName(k.Key.Name):
			return brokenAt("key", i, "does not hold a key name [a-z0-9][a-z0-9._-]{0,63}")
		}
	}
	switch {
	case s.Person != "" && s.Kind != KindEnrolment:
		return broken("person", "is allowed in an enrolment only")
	case s.Person != "" && !plain(s.Person, MaxPerson):
		return broken("person", "does not hold a name of 1 to %d bytes", MaxPerson)
	case !s.Until.IsZero() && s.Kind != KindEnrolment:
		return broken("until", "is allowed in an enrolment only")
	}
	return nil
}

// checkRegistration: the two keys, also, rule.
func (s *Statement) checkRegistration() *fault {
	if s.Kind != KindRegistration {
		switch {
		case len(s.Also) > 0:
			return broken("also", "is allowed in a registration only")
		case len(s.Rules) > 0:
			return broken("rule", "is allowed in a registration only")
		}
		return nil
	}
	switch sponsor, recovery := s.Keys[0], s.Keys[1]; {
	case sponsor.Role != RoleSponsor:
		return broken("key", "is not the sponsor's: a registration has the sponsor's, then the recovery key's")
	case recovery.Role != RoleRecovery:
		return brokenAt("key", 1, "is not the recovery key's: a registration has the sponsor's, then the recovery key's")
	case sponsor.Name != TrialStream:
		return broken("key", "does not name the stream %q", TrialStream)
	case recovery.Name != TrialStream:
		return brokenAt("key", 1, "does not name the stream %q", TrialStream)
	case sponsor.Stream != recovery.Stream:
		return brokenAt("key", 1, "has another stream id than the sponsor's")
	}
	if len(s.Also) > MaxAlso {
		return brokenAt("also", MaxAlso, "is one too many: at most %d are allowed", MaxAlso)
	}
	for i, a := range s.Also {
		switch public := PublicTrial(a.Trial); {
		case !ValidTrial(a.Trial):
			return brokenAt("also", i, "does not hold a trial id [A-Z0-9][A-Z0-9._/-]{0,63}")
		case a.Trial == s.Trial || slices.ContainsFunc(s.Also[:i], func(b Also) bool { return a.Trial == b.Trial }):
			return brokenAt("also", i, "repeats an id of the trial")
		case public && a.Salt != nil:
			return brokenAt("also", i, "has a salt, and the registration stream of a public id has none")
		case !public && a.Salt == nil:
			return brokenAt("also", i, "has no salt, and the registration stream of a private id has one")
		case !public && *a.Salt == [32]byte{}:
			return brokenAt("also", i, "has a salt of zero bytes")
		}
	}
	if len(s.Rules) > MaxRules {
		return brokenAt("rule", MaxRules, "is one too many: at most %d are allowed", MaxRules)
	}
	if i := repeated(s.Rules); i >= 0 {
		return brokenAt("rule", i, "repeats another")
	}
	for i, r := range s.Rules {
		if !r.First.Known() || !r.Then.Known() {
			return brokenAt("rule", i, "does not hold two known kinds")
		}
	}
	return nil
}

// checkTimes: whole seconds of the years that RFC 3339 can write.
func (s *Statement) checkTimes() *fault {
	whole := func(t time.Time) bool {
		y := t.UTC().Year()
		return t.Nanosecond() == 0 && 1 <= y && y <= 9999
	}
	switch {
	case !s.Until.IsZero() && !whole(s.Until):
		return broken("until", "is not a whole second of the years 1 to 9999")
	case s.Time.IsZero() || !whole(s.Time):
		return broken("time", "is not a whole second of the years 1 to 9999")
	}
	return nil
}

// plain reports whether s is a text of 1 to limit bytes that a line can hold.
func plain(s string, limit int) bool {
	return 0 < len(s) && len(s) <= limit && text.IndexForbidden(s, false) < 0 && s == strings.TrimSpace(s)
}

// repeated returns the index of the first element that equals an earlier one, or
// -1. Lists are short.
func repeated[T comparable](list []T) int {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return i
		}
	}
	return -1
}
