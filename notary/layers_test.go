package notary_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// layers are the packages of the house, lowest first: imports go down only.
// Packages of one layer may import each other where before allows it.
var layers = [][]string{
	{"notary/text", "notary/content", "events"},
	{"notary/statement"},
	{"notary/entry", "notary/manifest", "notary/request", "notary/access"},
	{"notary/tile", "notary/streammap", "notary/checkpoint", "notary/inventory", "notary/explain", "notary/parcel"},
	{"notary/timestamp"},
	{"notary/receipt", "notary/witness"},
	{"notary/history", "notary/audit"},
	{"notary", "notary/share", "notary/kit"},
	{"notary/certificate"},
	{"notary/storetest", "notary/ondisk", "notary/onaws", "notary/onaws/fakeaws", "notary/web", "notary/client", "notary/mirror"},
	{"functions/url", "functions/wire"},
	{"cmd/trialnotary", "cmd/release", "functions/submit", "functions/prove", "functions/seal", "functions/audit",
		"infra", "localstack", "localstack/init"},
}

// doors says which packages alone may use a dependency directly.
var doors = map[string][]string{
	"go.etcd.io/bbolt":                    {"notary/ondisk"},
	"github.com/spf13/cobra":              {"cmd/trialnotary"},
	"github.com/schollz/progressbar":      {"cmd/trialnotary"},
	"github.com/CycloneDX/cyclonedx-go":   {"cmd/release"},
	"github.com/google/licensecheck":      {"cmd/release"},
	"golang.org/x/term":                   {"cmd/trialnotary"},
	"codeberg.org/go-pdf/fpdf":            {"notary/certificate"},
	"github.com/boombuler/barcode":        {"notary/certificate"},
	"golang.org/x/image":                  {"notary/certificate"},
	"filippo.io/age":                      {"notary/client"},
	"github.com/transparency-dev/merkle":  {"notary/manifest"},
	"github.com/transparency-dev/formats": {"notary/checkpoint"},
	"filippo.io/mldsa":                    {"notary/checkpoint", "notary/onaws/fakeaws"},
	"github.com/digitorus":                {"notary/timestamp"},
	"net/http":                            {"notary/witness", "notary/timestamp", "notary/web", "notary/client", "notary/onaws", "functions", "localstack", "cmd/trialnotary"},
	"github.com/aws/aws-sdk-go-v2":        {"notary/onaws", "localstack"},
	"github.com/aws/smithy-go":            {"notary/onaws", "localstack"},
	"github.com/aws/aws-lambda-go":        {"functions"},
	"github.com/aws/aws-cdk-go":           {"infra"},
	"github.com/aws/jsii-runtime-go":      {"infra"},
	"github.com/aws/constructs-go":        {"infra"},
	"github.com/cdklabs":                  {"infra"},
	// Peers of the tests: never in what ships.
	"filippo.io/torchwood":                       nil,
	"github.com/transparency-dev/tessera":        nil,
	"github.com/rogpeppe/go-internal/testscript": nil,
	"github.com/makiuchi-d/gozxing":              nil,
	"github.com/transparency-dev/formats/proof":  {"notary/checkpoint"},
}

func TestImportsGoDownThroughTheirDoors(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "trialnotary/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	rank := map[string]int{}
	for i, layer := range layers {
		for _, p := range layer {
			rank[p] = i
		}
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		self := strings.TrimPrefix(p.ImportPath, "trialnotary/")
		here, known := rank[self]
		if !known {
			t.Errorf("%s has no layer", self)
		}
		for _, imp := range p.Imports {
			if dep, ours := strings.CutPrefix(imp, "trialnotary/"); ours && rank[dep] >= here {
				t.Errorf("%s imports %s, which is not below it", self, dep)
			}
			for path, allowed := range doors {
				if imp != path && !strings.HasPrefix(imp, path+"/") {
					continue
				}
				ok := false
				for _, a := range allowed {
					ok = ok || self == a || strings.HasPrefix(self, a+"/")
				}
				if !ok {
					t.Errorf("%s uses %s, whose door is %v", self, path, allowed)
				}
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d packages were looked at", seen)
	}
}

// A function's main reads the environment, wires and starts: all else is in a
// package that tests can reach. What is deployed holds nothing that deploys it.
func TestFunctionsAreSmall(t *testing.T) {
	mains, err := filepath.Glob("../functions/*/main.go")
	if err != nil || len(mains) != 4 {
		t.Fatalf("mains %q, %v", mains, err)
	}
	for _, name := range mains {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n > 40 {
			t.Errorf("%s has %d lines, at most 40", name, n)
		}
	}
	out, err := exec.Command("go", "list", "-deps", "trialnotary/functions/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dep := range strings.SplitSeq(string(out), "\n") {
		for _, not := range []string{"aws-cdk", "jsii", "constructs", "go.etcd.io/bbolt", "github.com/spf13/cobra", "trialnotary/infra", "trialnotary/notary/storetest", "trialnotary/notary/onaws/fakeaws"} {
			if strings.Contains(dep, not) {
				t.Errorf("the functions depend on %s", dep)
			}
		}
	}
}
