package inventory

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

// ReadSums reads a file as sha256sum and sha512sum write it, with or without --tag,
// whose names are relative to its directory:
//
//	<hex>  lab/b.csv
//	<hex> *lab/b.csv                read as binary: the same
//	\<hex>  two\nlines.csv          \\, \n and \r stand for those characters
//	SHA256 (lab/b.csv) = <hex>
//
// Lines of both kinds may stand in one file; empty ones and those that begin with
// "#" say nothing.
func ReadSums(dir fs.FS, name string) (*List, error) {
	b, err := readFile(dir, name)
	if err != nil {
		return nil, err
	}
	r := &reading{entries: map[string]*Entry{}, from: name}
	for line := range strings.SplitSeq(string(b), "\n") {
		if r.line++; line == "" || line[0] == '#' {
			continue
		}
		path, d, err := parseSum(line)
		if err != nil {
			return nil, r.fail("%w", err)
		}
		if err := r.add(path, -1, d); err != nil {
			return nil, err
		}
	}
	if len(r.entries) == 0 {
		return nil, fmt.Errorf("%s lists no file: %w", name, ErrList)
	}
	l := &List{Form: Sums, Title: "a list of checksums", Files: r.sorted()}
	return l, nil
}

// LooksLikeSums reports whether a file that begins with b is a list of checksums by
// its first line.
func LooksLikeSums(b []byte) bool {
	for line := range strings.SplitSeq(string(b), "\n") {
		if line = strings.TrimSuffix(strings.TrimPrefix(line, "\ufeff"), "\r"); line == "" || line[0] == '#' {
			continue
		}
		_, _, err := parseSum(line)
		return err == nil
	}
	return false
}

// parseSum parses one line.
func parseSum(line string) (string, Digest, error) {
	rest, escaped := strings.CutPrefix(line, `\`)
	name, d, err := parseTagged(rest)
	if name == "" && err == nil {
		name, d, err = parsePlain(rest)
	}
	if err == nil && escaped {
		name, err = unescape(name)
	}
	return name, d, err
}

// parseTagged parses SHA256 (NAME) = HEX; the name is "" if the line is no such.
func parseTagged(line string) (string, Digest, error) {
	tag, rest, ok := strings.Cut(line, " (")
	end := strings.LastIndex(rest, ") = ")
	if !ok || end <= 0 || strings.ContainsAny(tag, " \t") {
		return "", Digest{}, nil
	}
	a := Algorithm(strings.ToLower(tag))
	if a != SHA256 && a != SHA512 {
		return "", Digest{}, fmt.Errorf("%s is not read: make the list with sha256sum or sha512sum", clip(tag))
	}
	d, err := digest(a, rest[end+4:])
	return rest[:end], d, err
}

// parsePlain parses HEX, a blank, a blank or asterisk, NAME.
func parsePlain(line string) (string, Digest, error) {
	sum, rest, ok := strings.Cut(line, " ")
	if !ok || len(rest) < 2 || rest[0] != ' ' && rest[0] != '*' {
		return "", Digest{}, fmt.Errorf("%q is no line of sha256sum or sha512sum", clip(line))
	}
	var a Algorithm
	switch len(sum) {
	case 64:
		a = SHA256
	case 128:
		a = SHA512
	case 32, 40, 56, 96:
		return "", Digest{}, fmt.Errorf("a checksum of %d hex digits is not read: make the list with sha256sum or sha512sum", len(sum))
	default:
		return "", Digest{}, fmt.Errorf("%q is no line of sha256sum or sha512sum", clip(line))
	}
	d, err := digest(a, sum)
	return rest[1:], d, err
}

func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", fmt.Errorf("%q ends within an escape", clip(s))
		}
		c, ok := map[byte]byte{'\\': '\\', 'n': '\n', 'r': '\r'}[s[i]]
		if !ok {
			return "", fmt.Errorf("%q has an escape that is none", clip(s))
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}

// AppendSum appends the line that sha256sum -c reads for a file.
func AppendSum(b []byte, sum [32]byte, name string) []byte {
	if escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(name); escaped != name {
		b, name = append(b, '\\'), escaped
	}
	b = hex.AppendEncode(b, sum[:])
	return append(append(append(b, "  "...), name...), '\n')
}

// tagLines splits a tag file of a bag into lines.
func tagLines(b []byte) []string {
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n")) // CR alone ends a line too
	return strings.Split(string(b), "\n")
}
