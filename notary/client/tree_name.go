package client

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// argumentName returns the base name of an argument, also where it is "." or
// ends with separators.
func argumentName(arg string) (string, error) {
	if base := baseName(arg, os.PathSeparator); base != "" && base != "." && base != ".." {
		return base, nil
	}
	abs, err := filepath.Abs(arg)
	if err != nil {
		return "", err
	}
	if base := baseName(abs, os.PathSeparator); base != "" {
		return base, nil
	}
	return "", errors.New("it is a root directory")
}

// baseName returns the last element of a path of a system with that separator,
// or "" if there is none: of "", "/", `C:\` and "C:". Windows takes "/" as well.
func baseName(path string, separator byte) string {
	seps := string(separator)
	if separator == '\\' {
		seps += "/"
		if len(path) >= 2 && path[1] == ':' { // a drive; "C:name" is relative to it
			path = path[2:]
		}
	}
	path = strings.TrimRight(path, seps)
	return path[strings.LastIndexAny(path, seps)+1:]
}

// joinSlash joins two parts of a path in a manifest.
func joinSlash(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// joinDisk joins a root as the user wrote it and a slash path below it.
func joinDisk(root, rel string) string { return joinDiskWith(root, rel, os.PathSeparator) }

// joinDiskWith keeps names as they are on disk: nothing is cleaned away.
func joinDiskWith(root, rel string, separator byte) string {
	sep := string(separator)
	if separator != '/' {
		rel = strings.ReplaceAll(rel, "/", sep)
	}
	if strings.HasSuffix(root, sep) || strings.HasSuffix(root, "/") {
		return root + rel
	}
	return root + sep + rel
}
