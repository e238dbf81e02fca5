// Package kit is one zip per trial that verifies for decades with nothing but itself
// and a program, or somebody who writes one by what the zip says:
//
//	SHA256SUMS                                 all members but this one, for sha256sum
//	README.txt                                 what this is, how to check it, what was left out
//	FORMATS.txt                                every format, complete enough to write a verifier
//	verify.html                                the verification page, which needs no network
//	log.trust                                  the trust file of who made the kit
//	tsa.pem                                    authorities of time-stamps, where the log has any
//	receipts/site-042/00000012-dataset.receipt each by its index in the log
//	statements/site-042/00000012-dataset.txt   what the receipt is of, alone, for people
//	histories/trial.history                    that nothing was left out
//
// No other name is in it, and the bytes follow from the content alone. There is never
// a key, a manifest, or the name of a file in it.
//
// A kit that arrives was made by anyone: [Parse] takes it as package parcel does, and
// all members must be as SHA256SUMS lists them, so that a part that was lost on the
// way is noticed. That protects from accidents alone: what is evidence is verified for
// itself, and the trust file of a kit is its maker's word.
package kit

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"trialnotary/notary/history"
	"trialnotary/notary/parcel"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// The names of members, and of their directories.
const (
	SumsName    = "SHA256SUMS"
	NoteName    = "README.txt"
	FormatsName = "FORMATS.txt"
	PageName    = "verify.html"
	TrustName   = "log.trust"
	TSAName     = "tsa.pem"

	receiptDir, statementDir, historyDir = "receipts", "statements", "histories"
)

// Bounds of a kit. The page reads no larger zip.
const (
	MaxSize    = 256 << 20
	maxAll     = 512 << 20
	MaxMembers = 20_000
)

// version is the first line of SHA256SUMS, a comment there.
const version = "# trialnotary/kit@v1"

// ErrKit is wrapped by the error of a zip that is no kit.
var ErrKit = errors.New("not a kit of trialnotary")

// File is a member with its bytes.
type File = parcel.Member

// Kit is what a zip holds.
type Kit struct {
	Note, Formats, Page, Trust []byte
	TSA                        []byte // nil: none
	Receipts, Statements       []File // by name
	Histories                  []File
}

// names of the members below directories. An index has as many digits as sort well.
var (
	inReceipts   = regexp.MustCompile(`^receipts/[a-z0-9][a-z0-9._-]{0,63}/[0-9]{8,20}-[a-z-]{1,32}\.receipt$`)
	inStatements = regexp.MustCompile(`^statements/[a-z0-9][a-z0-9._-]{0,63}/[0-9]{8,20}-[a-z-]{1,32}\.txt$`)
	inHistories  = regexp.MustCompile(`^histories/[a-z0-9][a-z0-9._-]{0,63}\.history$`)
)

// limit returns how many bytes a member may have, -1 for a name that is none.
func limit(name string) int64 {
	switch name {
	case SumsName:
		return 256 * MaxMembers
	case NoteName, FormatsName:
		return 1 << 20
	case PageName:
		return 16 << 20
	case TrustName, TSAName:
		return receipt.MaxTrustSize
	}
	switch {
	case inReceipts.MatchString(name):
		return receipt.MaxSize
	case inStatements.MatchString(name):
		return statement.MaxSize
	case inHistories.MatchString(name):
		return history.MaxSize
	}
	return -1
}

func rules() parcel.Rules {
	return parcel.Rules{What: "kit", Size: MaxSize, All: maxAll, Members: MaxMembers, Limit: limit, Err: ErrKit}
}

// Is reports whether a zip says that it is a kit.
func Is(r io.ReaderAt, size int64) bool { return parcel.Has(r, size, rules(), SumsName) }

// ReceiptName returns the name of the receipt of a statement, by the index of its
// entry, and the name of the statement beside it.
func ReceiptName(stream string, index uint64, kind statement.Kind) (receipt, note string) {
	name := fmt.Sprintf("%s/%08d-%s", stream, index, kind)
	return path.Join(receiptDir, name) + ".receipt", path.Join(statementDir, name) + ".txt"
}

// HistoryName returns the name of a history in a kit.
func HistoryName(name string) string { return path.Join(historyDir, name) + ".history" }

// StatementOf returns the name under which the statement of a receipt stands alone.
func StatementOf(receipt string) string {
	return statementDir + strings.TrimSuffix(strings.TrimPrefix(receipt, receiptDir), ".receipt") + ".txt"
}

// Bytes returns the zip, its members dated as given. It fails if it could not be read
// back.
func (k *Kit) Bytes(at time.Time) ([]byte, error) {
	members := []File{{Name: NoteName, Data: k.Note}, {Name: FormatsName, Data: k.Formats}, {Name: PageName, Data: k.Page}, {Name: TrustName, Data: k.Trust}}
	if k.TSA != nil {
		members = append(members, File{Name: TSAName, Data: k.TSA})
	}
	for _, files := range [][]File{k.Receipts, k.Statements, k.Histories} {
		members = append(members, slices.SortedFunc(slices.Values(files), func(x, y File) int { return strings.Compare(x.Name, y.Name) })...)
	}
	if len(members)+1 > MaxMembers {
		return nil, fmt.Errorf("%d members, at most %d are allowed: %w", len(members)+1, MaxMembers, ErrKit)
	}
	members = append([]File{{Name: SumsName, Data: sums(members)}}, members...)
	var b bytes.Buffer
	if err := parcel.Write(&b, at, members); err != nil {
		return nil, err
	}
	_, err := Parse(bytes.NewReader(b.Bytes()), int64(b.Len()))
	return b.Bytes(), err
}

// sums returns the list of the members, by name.
func sums(members []File) []byte {
	lines := make([]string, len(members))
	for i, m := range members {
		lines[i] = fmt.Sprintf("%x  %s\n", sha256.Sum256(m.Data), m.Name)
	}
	slices.SortFunc(lines, func(x, y string) int { return strings.Compare(x[66:], y[66:]) })
	return []byte(version + "\n" + strings.Join(lines, ""))
}

// Parse reads a zip of that size. Errors wrap [ErrKit] and say what is wrong with it.
func Parse(r io.ReaderAt, size int64) (*Kit, error) {
	fail := func(format string, a ...any) (*Kit, error) {
		return nil, fmt.Errorf("%w: %w", fmt.Errorf(format, a...), ErrKit)
	}
	members, err := parcel.Read(r, size, rules())
	if err != nil {
		return nil, err
	}
	k := &Kit{}
	var list []byte
	var rest []File
	for _, m := range members {
		switch m.Name {
		case SumsName:
			list = m.Data
			continue
		case NoteName:
			k.Note = m.Data
		case FormatsName:
			k.Formats = m.Data
		case PageName:
			k.Page = m.Data
		case TrustName:
			k.Trust = m.Data
		case TSAName:
			k.TSA = m.Data
		default:
			switch dir, _, _ := strings.Cut(m.Name, "/"); dir {
			case receiptDir:
				k.Receipts = append(k.Receipts, m)
			case statementDir:
				k.Statements = append(k.Statements, m)
			case historyDir:
				k.Histories = append(k.Histories, m)
			}
		}
		rest = append(rest, m)
	}
	for name, data := range map[string][]byte{SumsName: list, NoteName: k.Note, FormatsName: k.Formats, PageName: k.Page, TrustName: k.Trust} {
		if len(data) == 0 {
			return fail("it holds no %s", name)
		}
	}
	if len(k.Receipts)+len(k.Histories) == 0 {
		return fail("it holds neither a receipt nor a history")
	}
	if want := sums(rest); !bytes.Equal(list, want) {
		return fail("%s", difference(string(list), string(want)))
	}
	for _, files := range [][]File{k.Receipts, k.Statements, k.Histories} {
		slices.SortFunc(files, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	}
	return k, nil
}

// difference says in which member a list and what is there differ first.
func difference(list, there string) string {
	if line, _, _ := strings.Cut(list, "\n"); line != version {
		return SumsName + " does not begin with the line " + version
	}
	has := map[string]string{}
	for line := range strings.Lines(there) {
		if sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  "); ok {
			has[name] = sum
		}
	}
	for line := range strings.Lines(list) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		switch got, here := has[name]; {
		case !ok:
		case !here && limit(name) < 0:
			return SumsName + " lists what is no part of a kit"
		case !here:
			return name + " is missing: " + SumsName + " lists it"
		case got != sum:
			return name + " was changed or damaged: it has another SHA-256 than " + SumsName + " lists"
		default:
			delete(has, name)
		}
	}
	for name := range has {
		if strings.HasPrefix(name, "#") {
			continue
		}
		return name + " is not listed in " + SumsName
	}
	return SumsName + " is not written as it is for these members"
}
