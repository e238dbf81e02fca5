package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"sync"
	"testing"
)

// object is a JSON object of a template.
type object = map[string]any

// template is a synthesised stack.
type template struct {
	t         testing.TB
	Resources map[string]*resource
	Outputs   map[string]object
}

type resource struct {
	ID                                  string
	Type                                string
	Properties                          object
	DeletionPolicy, UpdateReplacePolicy string
}

// node skips the test on a machine without Node, and says so; where the checks
// run, a machine without it is broken.
func node(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("node"); err == nil {
		return
	}
	const words = "the CDK needs Node to synthesise, and there is no node in PATH: install Node 20 or later to run the tests of the AWS stack"
	if os.Getenv("CI") == "true" {
		t.Fatal(words)
	}
	t.Skip(words)
}

// synthesised are the stages, each synthesised once for all tests.
var synthesised sync.Map // of func() (dir string, err error), by stage and parameters

// synth returns the directory of an assembly of a stage.
func synth(t testing.TB, name string, more ...string) string {
	t.Helper()
	node(t)
	key := strings.Join(append([]string{name}, more...), " ")
	once, _ := synthesised.LoadOrStore(key, sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp(scratch, "cdk-*")
		if err != nil {
			return "", err
		}
		s, err := readStage(parametersOf(name, more...))
		if err != nil {
			return "", err
		}
		app, err := newApp(filepath.Join(dir, "out"))
		if err != nil {
			return "", err
		}
		zips, err := emptyZips(dir)
		if err != nil {
			return "", err
		}
		newNotary(app, s, zips)
		app.Synth(nil)
		return filepath.Join(dir, "out"), nil
	}))
	dir, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// parametersOf are those that a stage needs, and more of the form key=value.
func parametersOf(name string, more ...string) func(string) string {
	given := map[string]string{"stage": name}
	if name == "prod" {
		given["origin"], given["retention"], given["sponsors"] = "log.example.org/trials", "25y", testSponsor
	}
	for _, m := range more {
		k, v, _ := strings.Cut(m, "=")
		given[k] = v
	}
	return func(key string) string { return given[key] }
}

// emptyZips stand for the functions where only the template is looked at.
func emptyZips(dir string) (map[string]string, error) {
	packed, err := pack([]byte("#!/bin/false\n"))
	zips := map[string]string{}
	for _, name := range functionNames {
		zips[name] = filepath.Join(dir, name+".zip")
		if err == nil {
			err = os.WriteFile(zips[name], packed, 0o644)
		}
	}
	return zips, err
}

// stack returns the template of a stage.
func stack(t testing.TB, name string, more ...string) *template {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(synth(t, name, more...), "trialnotary-"+name+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	tpl := &template{t: t}
	if err := json.Unmarshal(b, tpl); err != nil {
		t.Fatal(err)
	}
	for id, r := range tpl.Resources {
		r.ID = id
	}
	return tpl
}

// all returns the resources of a type, in order of their ids.
func (tpl *template) all(kind string) []*resource {
	var found []*resource
	for _, r := range tpl.Resources {
		if r.Type == kind {
			found = append(found, r)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].ID < found[j].ID })
	return found
}

// one returns the resource of a type whose id begins with a prefix.
func (tpl *template) one(kind, prefix string) *resource {
	tpl.t.Helper()
	var found []*resource
	for _, r := range tpl.all(kind) {
		// A construct's id is followed by 8 hexadecimal digits of its path, or nothing.
		if rest, ok := strings.CutPrefix(r.ID, prefix); ok && (rest == "" || len(rest) == 8) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		tpl.t.Fatalf("%d resources %s %s*, not one", len(found), kind, prefix)
	}
	return found[0]
}

// at follows a path of object keys and list indices; nil if it leads nowhere.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := v.(object)
			v = o[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// want fails unless got, as JSON, is what want is as JSON.
func want(t testing.TB, property string, got, want any) {
	t.Helper()
	var w any
	b, err := json.Marshal(want)
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, w) {
		g, _ := json.Marshal(got)
		t.Errorf("%s: got %s, want %s", property, g, b)
	}
}

// strs is a string or a list of strings as a list.
func strs(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, s := range v {
			all = append(all, fmt.Sprint(s))
		}
		sort.Strings(all)
		return all
	}
	return nil
}
