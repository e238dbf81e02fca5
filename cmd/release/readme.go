package main

import (
	_ "embed"
	"strings"
)

//go:embed README.txt
var readmeText string

// readme returns what lies beside the binary: the first five minutes, for one
// system. A line that begins with "windows|", "darwin|" or "linux|" is for that one
// alone, "unix|" for the two others than Windows.
func readme(v version, system string) []byte {
	var b strings.Builder
	for line := range strings.Lines(readmeText) {
		for _, only := range []string{"windows", "darwin", "linux", "unix"} {
			if rest, ok := strings.CutPrefix(line, only+"|"); ok {
				line = rest
				if only != system && (only != "unix" || system == "windows") {
					line = ""
				}
			}
		}
		b.WriteString(strings.ReplaceAll(line, "{version}", v.line()))
	}
	text := b.String()
	if system == "windows" {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return []byte(text)
}
