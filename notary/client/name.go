package client

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"trialnotary/notary/text"
)

// ErrName is wrapped where a file cannot have the name it would get on this system.
var ErrName = errors.New("a file cannot have that name on this system")

// CheckName returns an error unless a file of that path can be written here. On
// Windows, what is written to "NUL.receipt" is gone, and to "week:12.receipt" is in
// a hidden stream of another file: both without an error.
func CheckName(path string) error { return checkName(path, runtime.GOOS) }

func checkName(path, system string) error {
	if system != "windows" {
		return nil
	}
	for _, name := range strings.FieldsFunc(withoutVolume(path), func(r rune) bool { return r == '\\' || r == '/' }) {
		if why := notOnWindows(name); why != "" && name != "." && name != ".." {
			return fmt.Errorf("%q %s: %w", text.Visible(name), why, ErrName)
		}
	}
	return nil
}

// UnfitForWindows says why a file of a dataset cannot lie on Windows under its name
// in the manifest, "" if it can: whoever is given the data there could not check it.
func UnfitForWindows(path string) string {
	for name := range strings.SplitSeq(path, "/") {
		if why := notOnWindows(name); why != "" {
			return why
		}
	}
	return ""
}

// notOnWindows says why Windows has no file of that name, "" if it may. Source:
// Microsoft, "Naming Files, Paths, and Namespaces".
func notOnWindows(name string) string {
	if i := strings.IndexAny(name, `<>:"|?*`); i >= 0 {
		return fmt.Sprintf("has the character %c", name[i])
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return "ends with a full stop or a blank"
	}
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return "is a device"
	}
	if port, ok := strings.CutPrefix(stem, "COM"); ok || strings.HasPrefix(stem, "LPT") {
		if !ok {
			port = stem[3:]
		}
		if len([]rune(port)) == 1 && strings.ContainsAny(port, "0123456789¹²³") {
			return "is a device"
		}
	}
	return ""
}

// withoutVolume returns a path of Windows without its drive, share or device:
// `C:\a`, `\\server\share\a`, `\\?\C:\a` and `\\?\UNC\server\share\a` give `\a`.
func withoutVolume(path string) string { return path[volumeLen(path):] }

func volumeLen(path string) int {
	slash := func(i int) bool { return i < len(path) && (path[i] == '\\' || path[i] == '/') }
	element := func(i int) int { // the end of the one that begins at i
		for i < len(path) && !slash(i) {
			i++
		}
		return i
	}
	switch {
	case len(path) >= 2 && path[1] == ':':
		return 2
	case !slash(0) || !slash(1):
		return 0
	case len(path) > 3 && (path[2] == '?' || path[2] == '.') && slash(3):
		end := element(4)
		if strings.EqualFold(path[4:end], "UNC") && slash(end) {
			if end = element(end + 1); slash(end) {
				end = element(end + 1)
			}
		}
		return end
	}
	end := element(2)
	if slash(end) {
		end = element(end + 1)
	}
	return end
}
