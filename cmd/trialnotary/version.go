package main

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// release is the release's name, "v1.2.3 (commit 0123456789ab, 22 Nov 2026)":
// .ci/release writes it here with -ldflags -X. Empty in what a developer builds.
var release string

// version returns the release, or the commit that a developer built.
func version() string {
	if release != "" {
		name, _, _ := strings.Cut(release, " ")
		return name
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changed"
		}
	}
	if commit == "" {
		return "development"
	}
	return "development-" + commit[:min(12, len(commit))] + changed
}

// versionLine is what --version prints.
func versionLine() string {
	line := version()
	if release != "" {
		line = release
	}
	return "trialnotary " + line + ", " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
}
