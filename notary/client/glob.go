package client

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"trialnotary/notary/text"
)

// ErrNoMatch is wrapped where a pattern matches no file.
var ErrNoMatch = errors.New("no file or directory matches")

// Expand returns the paths that arguments name, where it is left to programs to
// find them: cmd.exe and PowerShell hand on `*.csv` as it was typed. Elsewhere the
// shell has done it, and a name may hold a `*`.
func Expand(args []string) ([]string, error) {
	if runtime.GOOS != "windows" {
		return args, nil
	}
	return expand(args, func(dir string) ([]string, error) {
		entries, err := os.ReadDir(dir)
		names := make([]string, len(entries))
		for i, e := range entries {
			names[i] = e.Name()
		}
		return names, err
	})
}

// expand does it as Windows does: `*` and `?` in any part of a path, letters of
// either case, names that begin with a full stop only where the pattern does.
func expand(args []string, list func(dir string) ([]string, error)) ([]string, error) {
	var all []string
	for _, arg := range args {
		// A backslash before a closing quote quotes it: "C:\My export\" arrives
		// as C:\My export" and takes in what follows.
		if one, ok := strings.CutSuffix(arg, `"`); ok && !strings.Contains(one, `"`) {
			arg = one
		}
		if strings.Contains(arg, `"`) {
			at := strings.Index(arg, `"`)
			return nil, fmt.Errorf("%q is not a path: leave the backslash before the closing quote away, as in \"%s\"", text.Visible(arg), text.Visible(arg[:at]))
		}
		v := volumeLen(arg)
		if !strings.ContainsAny(arg[v:], "*?") {
			all = append(all, arg)
			continue
		}
		found := match(arg[:v], arg[v:], list)
		if len(found) == 0 {
			return nil, fmt.Errorf("%w %s", ErrNoMatch, text.Visible(arg))
		}
		all = append(all, found...)
	}
	return all, nil
}

// match returns what a pattern below a path that is fixed matches, in order.
func match(fixed, pattern string, list func(dir string) ([]string, error)) []string {
	at := strings.IndexAny(pattern, "*?")
	if at < 0 {
		// What has no pattern must be there all the same.
		dir, name := fixed, strings.Trim(pattern, `\/`)
		if name == "" {
			return []string{fixed}
		}
		for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '\\' || r == '/' }) {
			names, err := list(here(dir))
			if err != nil || !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, part) }) {
				return nil
			}
			dir += `\` + part
		}
		return []string{fixed + pattern}
	}
	start := strings.LastIndexAny(pattern[:at], `\/`) + 1
	end := len(pattern)
	if i := strings.IndexAny(pattern[start:], `\/`); i >= 0 {
		end = start + i
	}
	dir := fixed + pattern[:start]
	names, err := list(here(dir))
	if err != nil {
		return nil
	}
	slices.Sort(names)
	var all []string
	for _, n := range names {
		hidden := strings.HasPrefix(n, ".") && !strings.HasPrefix(pattern[start:], ".")
		if !hidden && like(strings.ToLower(pattern[start:end]), strings.ToLower(n)) {
			all = append(all, match(dir+n, pattern[end:], list)...)
		}
	}
	return all
}

func here(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

// like reports whether a name fits a pattern of `*` and `?`.
func like(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	i, star, from := 0, -1, 0
	for j := 0; j < len(n); {
		switch {
		case i < len(p) && (p[i] == '?' || p[i] == n[j]) && p[i] != '*':
			i, j = i+1, j+1
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}
