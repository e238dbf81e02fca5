package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The most memory a process may take to seal or verify, whatever the size of a file,
// and how much more for each of many files: its names, digests and lines in the
// manifest.
const (
	memoryOfSealing = 64 << 20
	memoryOfAFile   = 2000
)

// TestMemoryOfSealing seals a sparse file of TRIALNOTARY_TEST_SPARSE gigabytes (a half;
// a quarter in short mode) and a directory of TRIALNOTARY_TEST_FILES files (20,000;
// 5,000), and verifies both, each in a process whose largest size in memory is looked
// at.
func TestMemoryOfSealing(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-race" && s.Value == "true" {
				t.Skip("the race detector takes memory of its own")
			}
		}
	}
	gigabytes, files := 0.5, 20_000
	if testing.Short() {
		gigabytes, files = 0.25, 5_000
	}
	if s := os.Getenv("TRIALNOTARY_TEST_SPARSE"); s != "" {
		var err error
		if gigabytes, err = strconv.ParseFloat(s, 64); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("TRIALNOTARY_TEST_FILES"); s != "" {
		var err error
		if files, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	s := newWard(t)
	t.Run("a sparse file", func(t *testing.T) {
		size := int64(gigabytes * 1e9)
		if err := os.WriteFile(s.path("images.raw"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(s.path("images.raw"), size); err != nil {
			t.Skipf("this file system takes no file of %d bytes: %v", size, err)
		}
		out := s.within(t, memoryOfSealing, "seal", "images.raw", "--out", "images")
		if !strings.Contains(out, "1 file, "+bytesOf(uint64(size))) {
			t.Errorf("%s", out)
		}
		if out := s.within(t, memoryOfSealing, "verify", "images.receipt", "images.raw"); !strings.Contains(out, "1 of 1 file matches") {
			t.Errorf("%s", out)
		}
	})
	t.Run("many files", func(t *testing.T) {
		for i := range files {
			dir := s.path("many", fmt.Sprintf("visit-%03d", i%500))
			if i < 500 {
				if err := os.MkdirAll(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("subject-%06d.csv", i)), []byte(strconv.Itoa(i)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		limit := int64(memoryOfSealing + files*memoryOfAFile)
		out := s.within(t, limit, "seal", "many", "--sums", "--out", "list")
		if !strings.Contains(out, count(files, "file")) {
			t.Errorf("%s", out)
		}
		all := number(uint64(files))
		if out := s.within(t, limit, "verify", "list.receipt", "many"); !strings.Contains(out, all+" of "+all+" files match") {
			t.Errorf("%s", out)
		}
		s.within(t, limit, "share", "list.receipt", "many/visit-007/subject-000007.csv", "--out", "board.zip")
	})
}

// within runs a verb and wants it to have taken no more than limit bytes of memory.
func (s *ward) within(t *testing.T, limit int64, args ...string) string {
	t.Helper()
	out, state := s.run(t, args...)
	took := state.SysUsage().(*syscall.Rusage).Maxrss * 1024
	t.Logf("%s: %s of memory, %v", args[0], bytesOf(uint64(took)), state.UserTime())
	if took > limit {
		t.Errorf("trialnotary %s took %s of memory, %s are allowed", args[0], bytesOf(uint64(took)), bytesOf(uint64(limit)))
	}
	return out
}
