package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// version is what a release is made from.
type version struct {
	name   string    // v1.2.3, or v0.0.0-20261122-0123456789ab between releases
	commit string    // 40 hex digits
	time   time.Time // of the commit, in UTC
}

// versionOf asks git which commit is checked out in dir.
func versionOf(dir string) (version, error) {
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	line, err := git("log", "-1", "--format=%H %ct")
	commit, stamp, _ := strings.Cut(line, " ")
	seconds, perr := strconv.ParseInt(stamp, 10, 64)
	if err = errors.Join(err, perr); err != nil {
		return version{}, fmt.Errorf("which commit is this? A release is made in a git clone: %w", err)
	}
	tag, err := git("describe", "--exact-match", "--tags", "--match", "v[0-9]*")
	if err != nil {
		tag = "" // between releases
	}
	changed, err := git("status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return version{}, err
	}
	return name(commit, tag, time.Unix(seconds, 0).UTC(), changed != ""), nil
}

func name(commit, tag string, at time.Time, changed bool) version {
	v := version{name: tag, commit: commit, time: at}
	if tag == "" {
		v.name = "v0.0.0-" + at.Format("20060102") + "-" + commit[:12]
	}
	if changed {
		v.name += "+changed"
	}
	return v
}

// line is what --version prints of it.
func (v version) line() string {
	return fmt.Sprintf("%s (commit %s, %s)", v.name, v.commit[:12], v.time.Format("2 Jan 2006"))
}
