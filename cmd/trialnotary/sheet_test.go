package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
)

func TestWordsForNumbers(t *testing.T) {
	for got, want := range map[string]string{
		number(0): "0", number(999): "999", number(70321): "70,321", number(1234567): "1,234,567",
		ordinal(1): "1st", ordinal(2): "2nd", ordinal(3): "3rd", ordinal(4): "4th", ordinal(11): "11th", ordinal(12): "12th",
		ordinal(13): "13th", ordinal(21): "21st", ordinal(111): "111th", ordinal(1002): "1,002nd",
		count(1, "file"): "1 file", count(2, "file"): "2 files",
		bytesOf(1): "1 byte", bytesOf(999): "999 bytes", bytesOf(1000): "1.0 kB", bytesOf(999_999): "1.0 MB", bytesOf(35 << 20): "36.7 MB",
		quote("a b"): "'a b'", quote("it's"): `'it'\''s'`, quote("a/b-1.receipt"): "a/b-1.receipt", quote(""): "''",
		names([]string{"a", "b", "c", "d", "e", "f", "g"}): "a, b, c, d, e and 2 more",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestSheet: rows stand below each other, and what came from outside cannot move
// the cursor or turn the line around.
func TestSheet(t *testing.T) {
	s := &sheet{word: "VERIFIED", head: "dataset · a\u202eb"}
	s.add("who", "%s", "Jane\x1b[31m\nDoe")
	s.more("and on")
	want := "VERIFIED   dataset · a<U+202E>b\n  who        Jane<U+001B>[31m<U+000A>Doe\n             and on\n"
	if got := s.lines(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestUntil(t *testing.T) {
	got, err := parseUntil("2027-12-31")
	if want := time.Date(2027, 12, 31, 23, 59, 59, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v", got, err)
	}
	got, err = parseUntil("2027-12-31T12:00:00+02:00")
	if want := time.Date(2027, 12, 31, 10, 0, 0, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseUntil("31.12.2027"); codeOf(err) != exitUsage {
		t.Error("a day in another order was taken")
	}
}

func TestExitCodes(t *testing.T) {
	for want, errs := range map[int][]error{
		exitDone:        {nil},
		exitNotVerified: {&receipt.Failure{}, shown{1}, kept(&receipt.Failure{}, "", "")},
		exitUsage:       {errors.New("x"), &fault{err: errors.New("x")}, &client.InputError{}},
		exitPending:     {&client.NotYet{}, kept(fmt.Errorf("x: %w", &client.NotYet{}), "", "")},
		exitService:     {&client.Unreachable{Err: errors.New("x")}, &client.Refused{}, kept(&client.Refused{}, "a", "b")},
		exitUnconfirmed: {shown{5}},
	} {
		for _, err := range errs {
			if got := codeOf(err); got != want {
				t.Errorf("%T: %d, want %d", err, got, want)
			}
		}
	}
}
