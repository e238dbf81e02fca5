package onaws

import (
	"fmt"
	"strconv"
	"time"
)

// Retention is how long an object of the log is locked, in whole days or years,
// as S3 counts a bucket's default: one of the two is 0.
type Retention struct{ Days, Years int }

// ParseRetention parses "30d" or "25y", 1 to 36,500 days or 1 to 100 years.
func ParseRetention(s string) (Retention, error) {
	if s != "" {
		n, err := strconv.Atoi(s[:len(s)-1])
		switch unit := s[len(s)-1]; {
		case err != nil || strconv.Itoa(n) != s[:len(s)-1]:
		case unit == 'd' && 1 <= n && n <= 36_500:
			return Retention{Days: n}, nil
		case unit == 'y' && 1 <= n && n <= 100:
			return Retention{Years: n}, nil
		}
	}
	return Retention{}, fmt.Errorf("%q is not a number of days or years like 30d or 25y", s)
}

func (r Retention) String() string {
	if r.Years > 0 {
		return strconv.Itoa(r.Years) + "y"
	}
	return strconv.Itoa(r.Days) + "d"
}

// From returns when an object written at t may be deleted at the earliest: S3
// counts a day as 24 hours and a year as 365 days.
func (r Retention) From(t time.Time) time.Time {
	return t.Add(time.Duration(r.Days+365*r.Years) * 24 * time.Hour)
}
