package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// What does not belong into a label, since everyone reads it whom the receipt is
// shown to, and nobody can take it back.
var (
	unblindingWords = regexp.MustCompile(`(?i)\b(arms?|placebo|verum|comparator|unblind\w*|(active|control|treatment|study) (arm|group|drug|allocation)|allocated to|randomi[sz]ed to|kit (no|nr|number)\w*)\b`)
	subjectNumber   = regexp.MustCompile(`(?i)\b(usubjid|subjid|subject|subj|patient|pat|participant|proband|pt)\b[\s.:#_-]*(no|nr|number|id)?[\s.:#_-]*[A-Z]{0,6}[_-]?\d+[\d_-]*`)
	codedNumber     = regexp.MustCompile(`\b\d{2,4}-\d{3}-\d{3,5}\b|\b\d{3}-\d{2}-\d{4}\b|\b\d{3}-\d{3,5}\b`)
	birthWords      = regexp.MustCompile(`(?i)\b(date of birth|birth ?date|birthday|born|d\.?o\.?b\b\.?|geb\.|geboren|née?)`)
	mailAddress     = regexp.MustCompile(`[^\s@]+@[^\s@]+\.[^\s@]+`)
	datesIn         = regexp.MustCompile(`(?i)\b(\d{4})[-/.]\d{1,2}[-/.]\d{1,2}\b|\b\d{1,2}[-/. ](?:\d{1,2}|[a-z]{3,9})[-/. ](\d{4})\b`)
)

// oldDate is how many years ago a day is rather one of birth than one of the trial.
const oldDate = 12

// careful says what in a line of free text looks unblinding or personal.
func careful(what, s string, now time.Time) (all []string) {
	say := func(found, why string) {
		if found != "" {
			all = append(all, fmt.Sprintf("%s has %q, %s", what, found, why))
		}
	}
	say(unblindingWords.FindString(s), "which may tell who is treated with what")
	found := subjectNumber.FindString(s)
	if found == "" {
		found = codedNumber.FindString(s)
	}
	say(found, "which looks like the number of a person")
	say(birthWords.FindString(s), "which looks like a date of birth")
	for _, m := range datesIn.FindAllStringSubmatch(s, -1) {
		if year, _ := strconv.Atoi(m[1] + m[2]); year >= 1900 && year <= now.Year()-oldDate {
			say(m[0], "which looks like a date of birth")
		}
	}
	say(mailAddress.FindString(s), "which looks like an e-mail address")
	return all
}
