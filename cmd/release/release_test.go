package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func made() version {
	return name("0123456789abcdef0123456789abcdef01234567", "v1.2.3", time.Unix(1795000000, 0).UTC(), false)
}

// TestZip: the same files give the same bytes in whatever order, a program stays one,
// and the only time is the commit's.
func TestZip(t *testing.T) {
	files := []file{{"b.txt", []byte("b"), false}, {"trialnotary", []byte("a"), true}, {"man/a.1", []byte("m"), false}}
	one, err := zipOf(made(), files)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(files)
	two, err := zipOf(made(), files)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("the order of the files shows in the zip: %v", err)
	}
	r, err := zip.NewReader(bytes.NewReader(one), int64(len(one)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
		if !f.Modified.Equal(made().time) {
			t.Errorf("%s has the time %v", f.Name, f.Modified)
		}
		if x := f.Mode().Perm() == 0o755; x != strings.HasSuffix(f.Name, "/trialnotary") {
			t.Errorf("%s has mode %v", f.Name, f.Mode())
		}
	}
	if got := strings.Join(names, " "); got != "trialnotary/b.txt trialnotary/man/a.1 trialnotary/trialnotary" {
		t.Error(got)
	}
}

// TestReadme: each system has its own steps, and no other's.
func TestReadme(t *testing.T) {
	own := map[string]string{"windows": "certutil", "darwin": "xattr", "linux": "sha256sum --check"}
	for system := range own {
		text := string(readme(made(), system))
		for other, words := range own {
			if strings.Contains(text, words) != (other == system) {
				t.Errorf("%s: %q is there, or is not", system, words)
			}
		}
		if strings.ContainsAny(text, "|{") {
			t.Errorf("%s: a mark was left", system)
		}
		if strings.Contains(text, "\r\n") != (system == "windows") || strings.Contains(text, "install") != (system != "windows") {
			t.Errorf("%s: of another system", system)
		}
		for _, step := range []string{"v1.2.3 (commit 0123456789ab, 18 Nov 2026)", "keygen", "join", "seal", "verify", "--offline"} {
			if !strings.Contains(text, step) {
				t.Errorf("%s: says nothing of %s", system, step)
			}
		}
		for l := range strings.Lines(text) {
			if len(l) > 90 {
				t.Errorf("%s: %d columns: %s", system, len(l), l)
			}
		}
	}
}

// TestVersion: a release is named after its tag, what lies between after its commit,
// and what is not committed says so.
func TestVersion(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"}, args...)...)
		c.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-11-22T12:00:00Z", "GIT_AUTHOR_DATE=2020-01-01T00:00:00Z")
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, said)
		}
	}
	if _, err := versionOf(dir); err == nil || !strings.Contains(err.Error(), "git clone") {
		t.Errorf("outside of git: %v", err)
	}
	write := func(s string) {
		if err := os.WriteFile(filepath.Join(dir, "a"), []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write("1")
	git("add", "a")
	git("commit", "-q", "-m", "a")
	v, err := versionOf(dir)
	if err != nil || v.name != "v0.0.0-20261122-"+v.commit[:12] || v.time.Format(time.RFC3339) != "2026-11-22T12:00:00Z" {
		t.Errorf("between releases: %+v, %v", v, err)
	}
	git("tag", "other")
	git("tag", "v1.2.3")
	if v, err = versionOf(dir); err != nil || v.name != "v1.2.3" {
		t.Errorf("at a tag: %+v, %v", v, err)
	}
	write("2")
	if v, err = versionOf(dir); err != nil || v.name != "v1.2.3+changed" {
		t.Errorf("with a change: %+v, %v", v, err)
	}
}

// TestBill: what the program is made of is listed with its licence, the same each
// time, and its licence's text is handed out.
func TestBill(t *testing.T) {
	parts, err := modules("windows", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	one, err := billOf(made(), "windows", "amd64", []byte("binary"), parts)
	if err != nil {
		t.Fatal(err)
	}
	two, err := billOf(made(), "windows", "amd64", []byte("binary"), parts)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("made twice, two bills: %v", err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(one), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 || bom.Metadata.Component.Version != "v1.2.3" || bom.Metadata.Timestamp != "2026-11-18T11:06:40Z" {
		t.Errorf("%v %+v", bom.SpecVersion, bom.Metadata)
	}
	listed := map[string]bool{}
	for _, c := range *bom.Components {
		listed[c.Name] = true
		if c.Licenses == nil || c.PackageURL != "pkg:golang/"+c.Name+"@"+c.Version || c.Version == "" {
			t.Errorf("%s: %+v", c.Name, c)
		}
	}
	for _, name := range []string{"std", "github.com/spf13/cobra", "filippo.io/age", "go.etcd.io/bbolt", "golang.org/x/sys"} {
		if !listed[name] {
			t.Errorf("%s is not listed", name)
		}
	}
	for _, name := range []string{"trialnotary", "github.com/transparency-dev/tessera", "github.com/aws/aws-sdk-go-v2"} {
		if listed[name] {
			t.Errorf("%s is listed, and is not in it", name)
		}
	}
	licences, err := licencesOf(parts)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range parts {
		if !bytes.Contains(licences, []byte("\n"+m.Path+" "+m.Version+": ")) {
			t.Errorf("the licence of %s is not handed out", m.Path)
		}
	}
	if !bytes.Contains(licences, []byte("SIL OPEN FONT LICENSE")) {
		t.Error("the licence of the fonts is not handed out")
	}
	if _, err := licencesOf([]module{{Path: "example.org/none", Dir: t.TempDir()}}); err == nil {
		t.Error("a module without a licence is handed out")
	}
}

func TestModulesThatAreReplaced(t *testing.T) {
	list, err := json.Marshal(map[string]any{"Module": map[string]any{"Path": "example.org/a", "Version": "v1.0.0", "Replace": map[string]string{"Path": "../a"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseModules(list, "go1.26", "/go"); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Error(err)
	}
}
