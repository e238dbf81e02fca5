package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// maxList bounds a list of enrolments in bytes: some ten thousand rows.
const maxList = 4 << 20

// The columns of a list, in any order; the first two must be there.
var listColumns = []string{"stream", "key", "role", "person", "until"}

// listed is one row of a list of enrolments.
type listed struct {
	enrolment
	line int
	key  statement.PublicKey
	end  time.Time
}

// mistake is what is wrong with a row, and what to write instead.
type mistake struct {
	Line int    `json:"line"`
	What string `json:"what"`
	Do   string `json:"do,omitempty"`
}

func (m mistake) String() string {
	s := fmt.Sprintf("line %d: %s", m.Line, m.What)
	if m.Do != "" {
		s += ": " + m.Do
	}
	return s
}

// readList reads a list of enrolments as spreadsheets write them: fields apart by
// comma, semicolon or tab, a byte order mark or not, any line ends.
//
//	stream;key;person;until
//	site-042;keys/jdoe.key.pub;Jane Doe;2027-12-31
//
// A key is the verifier key, or its .pub file named from where the list is. All
// mistakes are returned together; the error is for a list that is none.
func readList(name string, now time.Time) ([]listed, []mistake, error) {
	b, err := client.ReadFile(name, maxList)
	if err != nil {
		return nil, nil, err
	}
	bad := func(what, do string) error {
		return &fault{code: exitUsage, err: fmt.Errorf("%s %s", name, what), safe: "Nothing was enrolled.", do: do}
	}
	if bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return nil, nil, bad("is no CSV file in UTF-8", "In the spreadsheet: Save as, CSV UTF-8.")
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	// Spreadsheets write the separator they will read again before the header.
	skipped := 0
	if first, rest, _ := bytes.Cut(b, []byte("\n")); len(bytes.TrimSpace(first)) == 5 && bytes.HasPrefix(first, []byte("sep=")) {
		b, skipped = rest, 1
	}
	header, _, _ := bytes.Cut(b, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = separator(string(header)), -1, true
	const columns = "Its first line names the columns: stream,key,role,person,until. Only stream and key are needed."
	names, err := r.Read()
	if err != nil || !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(listColumns, strings.ToLower(strings.TrimSpace(n))) }) {
		return nil, nil, bad("has no header line", columns)
	}
	column := map[string]int{}
	for i, n := range names {
		n = strings.ToLower(strings.TrimSpace(n))
		switch _, twice := column[n]; {
		case n == "":
		case !slices.Contains(listColumns, n):
			return nil, nil, bad(fmt.Sprintf("has a column %q, which means nothing here", text.Visible(n)), "The columns: "+strings.Join(listColumns, ", ")+". Rename it or take it out.")
		case twice:
			return nil, nil, bad("has two columns "+n, "")
		default:
			column[n] = i
		}
	}
	for _, n := range listColumns[:2] {
		if _, ok := column[n]; !ok {
			return nil, nil, bad("has no column "+n, columns)
		}
	}
	l := list{dir: filepath.Dir(name), now: now, column: column, first: map[string]int{}}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			break
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			l.bad(skipped+e.StartLine, "its quotation marks do not match", `a field that holds one is written "so ""quoted"" it is"`)
			continue
		} else if err != nil {
			return nil, nil, err
		}
		line, _ := r.FieldPos(0)
		l.read(skipped+line, fields)
	}
	if len(l.rows)+len(l.mistakes) == 0 {
		return nil, nil, bad("names no one to enrol", "Below the header, one line for each key.")
	}
	return l.rows, l.mistakes, nil
}

// separator is what stands between the names of the header.
func separator(header string) rune {
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := strings.Count(header, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// list is a list while it is read.
type list struct {
	dir      string
	now      time.Time
	column   map[string]int
	first    map[string]int // where a stream and key stood first
	rows     []listed
	mistakes []mistake
}

func (l *list) bad(line int, what, do string) {
	l.mistakes = append(l.mistakes, mistake{line, what, do})
}

// read takes one row.
func (l *list) read(line int, fields []string) {
	get := func(name string) string {
		if i, ok := l.column[name]; ok && i < len(fields) {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.TrimSpace(f) != "" }) {
		return // what a spreadsheet leaves below the last row
	}
	if !utf8.ValidString(strings.Join(fields, "")) {
		l.bad(line, "its letters are not in UTF-8", "save the list as CSV UTF-8")
		return
	}
	row := listed{line: line, enrolment: enrolment{stream: get("stream"), role: strings.ToLower(get("role")), person: get("person"), until: get("until")}}
	if row.role == "" {
		row.role = string(statement.RoleSite)
	}
	before := len(l.mistakes)
	if !statement.ValidName(row.stream) || row.stream == statement.RegistrationStream {
		do := streamForm
		if s := streamLike(row.stream); s != "" {
			do = "write " + s
		}
		l.bad(line, fmt.Sprintf("%q is no name of a stream", text.Visible(row.stream)), do)
	}
	var err error
	if row.key, err = l.key(get("key")); err != nil {
		l.bad(line, inWords(err), strings.ReplaceAll(hint(err), "\n", " "))
	}
	if !statement.Role(row.role).Known() {
		l.bad(line, fmt.Sprintf("%q is no role", text.Visible(row.role)), "one of "+roleNames())
	}
	switch what := inText(row.person); {
	case what != "":
		l.bad(line, "the person's name "+what, "type it anew")
	case len(row.person) > statement.MaxPerson:
		l.bad(line, fmt.Sprintf("the person's name has %d bytes", len(row.person)), fmt.Sprintf("at most %d", statement.MaxPerson))
	}
	if row.end, err = parseUntil(row.until); err != nil {
		l.bad(line, inWords(err), "a day is written 2027-12-31; format the column as text, or the spreadsheet writes it in its own way")
	} else if !row.end.IsZero() && row.end.Before(l.now) {
		l.bad(line, row.until+" is past", "give a later day, or take the line out")
	}
	if len(l.mistakes) > before {
		return
	}
	at := row.stream + "\n" + row.key.String()
	if first, ok := l.first[at]; ok {
		l.bad(line, fmt.Sprintf("it enrols the key of line %d for the same stream again", first), "take one of them out")
		return
	}
	l.first[at] = line
	l.rows = append(l.rows, row)
}

// key is a verifier key, or that of a file named from where the list is.
func (l *list) key(s string) (statement.PublicKey, error) {
	if s == "" {
		return statement.PublicKey{}, errors.New("the key is missing")
	}
	file := filepath.Join(l.dir, filepath.FromSlash(strings.ReplaceAll(s, `\`, "/")))
	if !filepath.IsAbs(s) && (exists(file) == nil || namesFile(s) && exists(s) != nil) {
		s = file
	}
	return verifierKey(s)
}

// streamForm is what the name of a stream is made of.
const streamForm = "1 to 64 of a–z, 0–9 and, after the first, . _ -"

// streamLike is a valid name near to s, or "".
func streamLike(s string) string {
	like := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '.', r == '_', r == '-':
			return r
		case r == ' ', r == '/':
			return '-'
		}
		return -1
	}, strings.ToLower(s))
	if like = strings.TrimLeft(like, "._-"); like != s && statement.ValidName(like) && like != statement.RegistrationStream {
		return like
	}
	return ""
}

func roleNames() string {
	var all []string
	for _, r := range statement.Roles() {
		all = append(all, string(r))
	}
	return strings.Join(all, ", ")
}
