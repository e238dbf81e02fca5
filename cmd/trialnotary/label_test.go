package main

import (
	"strings"
	"testing"
	"time"
)

// What warns, and what sites write every week and must not be bothered about.
func TestLabelsThatLookUnblindingOrPersonal(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for label, want := range map[string]string{
		"Arm A, week 12":                 "treated with what",
		"PLACEBO group":                  "treated with what",
		"unblinded listing":              "treated with what",
		"treatment group 2":              "treated with what",
		"randomized to B":                "treated with what",
		"Subject 0042":                   "number of a person",
		"patient no. 17":                 "number of a person",
		"USUBJID CDISC003":               "number of a person",
		"pt-12 labs":                     "number of a person",
		"042-0013 visit 3":               "number of a person",
		"J.D., DOB unknown":              "date of birth",
		"born in May":                    "date of birth",
		"export of 1956-03-12":           "date of birth",
		"12.03.1956":                     "date of birth",
		"12 March 1956":                  "date of birth",
		"sent by jane.doe@hospital.test": "e-mail",

		"Week 12":                           "",
		"Database lock 2026-11-22":          "",
		"Cut-off 22 Nov 2026":               "",
		"Site 042, monthly export 2026-10":  "",
		"Adverse events, coded MedDRA 29.1": "",
		"Charm study pharmacy logs":         "",
		"Amendment 3 of 14 June 2021":       "",
		"Subject-level listings":            "",
		"Version 2.0-11":                    "",
		"All patients, week 12":             "",
		"NCT01234567 protocol 3.1":          "",
		"@ week 12":                         "",
	} {
		got := strings.Join(careful("the label", label, now), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", label, got, want)
		}
	}
}
