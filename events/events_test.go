package events_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trialnotary/events"
)

// messages are what crosses, each with its schema and its samples' first word.
var messages = []struct {
	name   string
	kind   any
	schema []byte
}{
	{"accepted", events.Accepted{}, events.AcceptedSchema},
	{"batch-sealed", events.BatchSealed{}, events.BatchSealedSchema},
	{"alarm", events.Alarm{}, events.AlarmSchema},
	{"watch", events.Watch{}, events.WatchSchema},
}

// schema is the part of JSON Schema that the schemas use; another word is refused.
type schema struct {
	Schema     string            `json:"$schema"`
	ID         string            `json:"$id"`
	Title      string            `json:"title"`
	Type       string            `json:"type"`
	Additional *bool             `json:"additionalProperties"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	MinItems   int               `json:"minItems"`
	MaxItems   int               `json:"maxItems"`
	Pattern    string            `json:"pattern"`
	Enum       []string          `json:"enum"`
	Minimum    float64           `json:"minimum"`
}

func parse(t *testing.T, raw []byte) schema {
	t.Helper()
	var s schema
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// check returns why a value is not one of the schema, "" if it is.
func (s schema) check(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			return "an object, not " + s.Type
		}
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				return name + " is missing"
			}
		}
		for name, value := range v {
			p, ok := s.Properties[name]
			if !ok {
				return name + " is not known"
			}
			if why := p.check(value); why != "" {
				return name + ": " + why
			}
		}
	case []any:
		if s.Type != "array" || len(v) < s.MinItems || len(v) > s.MaxItems {
			return fmt.Sprintf("%d items", len(v))
		}
		for i, value := range v {
			if why := s.Items.check(value); why != "" {
				return fmt.Sprintf("%d: %s", i, why)
			}
		}
	case string:
		if s.Type != "string" || !regexp.MustCompile(s.Pattern).MatchString(v) || s.Enum != nil && !slices.Contains(s.Enum, v) {
			return fmt.Sprintf("%q", v)
		}
	case float64:
		if s.Type != "integer" || v != float64(int64(v)) || v < s.Minimum {
			return fmt.Sprint(v)
		}
	default:
		return fmt.Sprintf("%v", v)
	}
	return ""
}

// agree reports where a Go type and a schema say different things.
func agree(t *testing.T, at string, kind reflect.Type, s schema) {
	t.Helper()
	switch {
	case kind.String() == "time.Time" || kind.Kind() == reflect.String:
		if s.Type != "string" || s.Pattern == "" && s.Enum == nil {
			t.Errorf("%s: a text of any kind", at)
		}
	case kind.Kind() == reflect.Slice:
		if s.Type != "array" || s.Items == nil || s.MaxItems == 0 {
			t.Fatalf("%s: not an array with an end", at)
		}
		agree(t, at+"[]", kind.Elem(), *s.Items)
	case kind.Kind() == reflect.Struct:
		var fields []string
		for i := range kind.NumField() {
			name := kind.Field(i).Tag.Get("json")
			fields = append(fields, name)
			agree(t, at+"."+name, kind.Field(i).Type, s.Properties[name])
		}
		if s.Type != "object" || s.Additional == nil || *s.Additional || len(s.Properties) != len(fields) || !slices.Equal(s.Required, fields) {
			t.Errorf("%s: the schema requires %q and knows %d, the type has %q", at, s.Required, len(s.Properties), fields)
		}
	default:
		if s.Type != "integer" {
			t.Errorf("%s: %s, want integer", at, s.Type)
		}
	}
}

func TestTypesAndSchemasAgree(t *testing.T) {
	for _, m := range messages {
		s := parse(t, m.schema)
		if s.Schema != "https://json-schema.org/draft/2020-12/schema" || s.ID != "urn:trialnotary:"+m.name || s.Title == "" {
			t.Errorf("%s: %s %s", m.name, s.Schema, s.ID)
		}
		agree(t, m.name, reflect.TypeOf(m.kind), s)
	}
}

// Recorded samples fit their schema, and the Go type reads and writes the very
// same bytes; those with a fault in them do not fit.
func TestSamples(t *testing.T) {
	for _, m := range messages {
		s := parse(t, m.schema)
		files, err := filepath.Glob("testdata/" + m.name + "*.json")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no samples, %v", m.name, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if why := s.check(v); why != "" {
				t.Errorf("%s: %s", file, why)
			}
			back := reflect.New(reflect.TypeOf(m.kind))
			if err := json.Unmarshal(raw, back.Interface()); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			again, err := json.Marshal(back.Interface())
			if err != nil || string(again)+"\n" != string(raw) {
				t.Errorf("%s: written again it is %s, %v", file, again, err)
			}
			for name, bad := range map[string]string{
				"a member more": strings.Replace(string(raw), "{", `{"trial":"NCT01234567",`, 1),
				"no members":    "{}",
			} {
				if json.Unmarshal([]byte(bad), &v); s.check(v) == "" {
					t.Errorf("%s with %s fits", file, name)
				}
			}
		}
	}
}
