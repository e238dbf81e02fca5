package content

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the vectors of testdata/vectors")

// vector is a file and what it says: the same words have the same digest.
type vector struct {
	Profile string `json:"profile"`
	SHA256  string `json:"sha256"`
}

// goodFiles are files made from the pilot study's, and small ones.
func goodFiles(t testing.TB) map[string][]byte {
	dm, dj, nd := read(t, "testdata/cdisc/dm.xpt"), read(t, "testdata/cdisc/dm.json"), read(t, "testdata/cdisc/dm.ndjson")
	two := twoMembers(dm)
	return map[string][]byte{
		"reexport.xpt":   restamped(dm, "22NOV26:14:32:00"),
		"unstamped.xpt":  restamped(dm, xptBlanks),
		"value.xpt":      swap(t, dm, "ZAN_HIGH", "ZAN_LOW "),
		"version.xpt":    swap(t, dm, "9.4     X64_10PR", "9.4     LIN X64 "),
		"two.xpt":        two,
		"two-later.xpt":  restamped(two, "22NOV26:14:32:00"),
		"lookalike.xpt":  lookalike(dm, "21AUG20:09:14:29"),
		"lookalike2.xpt": lookalike(dm, "22AUG20:09:14:29"),
		"reexport.json":  swap(t, dj, "2024-11-11T15:09:15", "2026-11-22T14:32:00"),
		"pretty.json":    pretty(t, dj),
		"escaped.json":   bytes.ReplaceAll(bytes.ReplaceAll(dj, []byte("/"), []byte(`\/`)), []byte("USA"), []byte(`\u0055\u0053A`)),
		"value.json":     swap(t, dj, `"1938",74,`, `"1938",75,`),
		"number.json":    swap(t, dj, `"1938",74,`, `"1938",74.0,`),
		"reexport.ndjson": swap(t, bytes.ReplaceAll(nd, []byte("\n"), []byte("\r\n")),
			"2024-11-11T15:09:15", "2026-11-22T14:32:00"),
		"value.ndjson":  swap(t, nd, "74", "75"),
		"small.json":    []byte(small(`"é\u00e9\ud83d\ude00\u001f\n",-0.50e+1,null`)),
		"small-2.json":  []byte(" \r\n\t" + strings.ReplaceAll(small(`"\u00e9é😀\u001F\u000a" , -0.50e+1 , null`), `"columns":[{"b":1,"a":[]}]`, "\"columns\" : [ { \"a\" : [ ] ,\n\"\\u0062\" : 1 } ]") + "\n"),
		"small-3.json":  []byte(small(`"é\u00e9\ud83d\ude00\u001f\n",-0.5e+1,null`)),
		"norows.json":   []byte(`{"columns":[],"datasetJSONVersion":"1.1","datasetJSONCreationDateTime":""}`),
		"emptyrow.json": []byte(`{"columns":[],"datasetJSONVersion":"1.1","datasetJSONCreationDateTime":"","rows":[]}`),
		"oneline.ndjson": []byte(`{"columns":[],"datasetJSONVersion":"1.1","datasetJSONCreationDateTime":""}` +
			"\n[1]\n\n[2]"),
		"two-rows.json":  []byte(`{"rows":[[1],[2]],"columns":[],"datasetJSONVersion":"1.1","datasetJSONCreationDateTime":"x"}`),
		"plain.csv":      []byte("subject,note,dose\n001,\"a \"\"b\"\", c\",1.0\n002,,2\n"),
		"windows.csv":    []byte("\xef\xbb\xbf\"subject\",note,dose\r\n001,\"a \"\"b\"\", c\",1.0\r\n\"002\",\"\",2"),
		"value.csv":      []byte("subject,note,dose\n001,\"a \"\"b\"\", c\",1\n002,,2\n"),
		"blank.csv":      []byte("subject,note,dose\n001,\"a \"\"b\"\", c\",1.0\n002, ,2\n"),
		"lines.csv":      []byte("a\n\"x\ny\rz\"\n\n"),
		"lines-crlf.csv": []byte("a\r\n\"x\r\ny\rz\"\r\n\"\"\r\n"),
		"latin1.csv":     []byte("name\nM\xfcller\n"),
		"marks.csv":      []byte("\xef\xbb,1\n"),
	}
}

// badFiles have no content digest, each for its reason.
func badFiles(t testing.TB) map[string]struct {
	b   []byte
	why string
} {
	dm, dj := read(t, "testdata/cdisc/dm.xpt"), read(t, "testdata/cdisc/dm.json")
	obs := bytes.Index(dm, []byte("HEADER RECORD*******OBS"))
	type bad = struct {
		b   []byte
		why string
	}
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	return map[string]bad{
		"empty.xpt":       {nil, "the file is empty"},
		"library.xpt":     {dm[:240], "there is no member"},
		"cut-record.xpt":  {cut(dm, 1), "the last record is not whole"},
		"cut-row.xpt":     {cut(dm, 160), "the last observation is not whole"},
		"no-obs.xpt":      {dm[:obs], "there is no OBS record"},
		"version8.xpt":    {swap(t, dm, "LIBRARY HEADER", "LIBV8   HEADER"), "it is a transport file of version 8"},
		"stamp.xpt":       {restamped(dm, "22nov26:14:32:00"), "a stamp is no time as SAS writes it"},
		"stamp-free.xpt":  {restamped(dm, "patient 17 died "), "data stand where a stamp is due"},
		"namestrs.xpt":    {swap(t, dm, "!!!!!!!0000000026", "!!!!!!!0000000025"), "a description too many"},
		"crlf.xpt":        {bytes.ReplaceAll(dm, []byte{0, 0, 0, 10}, []byte{0, 0, 0, 13, 10}), "line ends were changed as of a text"},
		"member-late.xpt": {append(slices.Clone(dm[:obs+80]), xptMember140...), "a member's header is not followed by the headers due"},

		"empty.json":         {nil, "the file is empty"},
		"other.json":         {[]byte(`{"rows":[]}`), "it is no Dataset-JSON"},
		"version.json":       {swap(t, dj, `"1.1.0"`, `"1.0.0"`), "it is Dataset-JSON of another version"},
		"bom.json":           {append([]byte(byteOrderMark), dj...), "a byte order mark is no JSON"},
		"twice.json":         {swap(t, dj, `"originator":`, `"records":`), "a key occurs twice at the top"},
		"twice-below.json":   {swap(t, dj, `"label":"Study Identifier"`, `"name":"Study Identifier"`), "a key occurs twice in a column"},
		"twice-escaped.json": {swap(t, dj, `"originator":`, `"\u0072ecords":`), "a key occurs twice, once with an escape"},
		"cut.json":           {cut(dj, 1), "it is cut off"},
		"two.json":           {slices.Concat(dj, []byte("\n"), dj), "two objects stand in it"},
		"rows-twice.ndjson":  {slices.Concat(dj, []byte("\n[1]\n")), "rows stand in the object and below"},
		"same-line.ndjson":   {[]byte(small("1")[:len(small("1"))-len(`,"rows":[[1]]}`)] + "}[1][2]\n"), "two values stand in one line"},
		"inner.ndjson":       {[]byte(small("1")[:len(small("1"))-len(`,"rows":[[1]]}`)] + "}\n[1,\n2]\n"), "a row takes two lines"},
		"objects.json":       {[]byte(small(`{"a":1}`)), "a row holds an object"},
		"row.json":           {[]byte(strings.Replace(small("1"), "[[1]]", "[1]", 1)), "a row is no array"},
		"columns.json":       {[]byte(strings.Replace(small("1"), `[{"b":1,"a":[]}]`, "7", 1)), "the columns are no array"},
		"created.json":       {[]byte(strings.Replace(small("1"), `"2024"`, "2024", 1)), "the time of creation is no string"},
		"surrogate.json":     {[]byte(small(`"\ud83d"`)), "half of a pair of surrogates stands alone"},
		"surrogates.json":    {[]byte(small(`"\ude00\ud83d"`)), "a pair of surrogates stands the wrong way round"},
		"utf8.json":          {[]byte(small("\"\xc0\xaf\"")), "a string is not UTF-8"},
		"utf8-cut.json":      {[]byte(small("\"\xe2\x82\"")), "a letter is cut off"},
		"control.json":       {[]byte(small("\"\t\"")), "a control character stands in a string"},
		"zero.json":          {[]byte(small("01")), "a number has a leading zero"},
		"point.json":         {[]byte(small("1.")), "a number ends with its point"},
		"plus.json":          {[]byte(small("+1")), "a number begins with a plus"},
		"nan.json":           {[]byte(small("NaN")), "NaN is no JSON"},
		"comma.json":         {[]byte(small("1,")), "a comma stands before the end"},
		"word.json":          {[]byte(small("True")), "a word is in capitals"},
		"deep.json":          {[]byte(strings.Replace(small("1"), `[{"b"`, strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,[{"b"`, 1)), "it nests too deep"},

		"empty.csv":     {nil, "the file is empty"},
		"mark.csv":      {[]byte(byteOrderMark), "nothing follows the byte order mark"},
		"ragged.csv":    {[]byte("a,b\n1\n"), "a row has fewer fields than the first"},
		"quote.csv":     {[]byte("a,b\nx\"y,1\n"), "a quote stands in a field without quotes"},
		"behind.csv":    {[]byte("a,b\n\"x\"y,1\n"), "letters stand behind a closing quote"},
		"open.csv":      {[]byte("a,b\n\"x,1\n"), "a quote is never closed"},
		"cr.csv":        {[]byte("a,b\r1,2\r"), "lines end with CR alone"},
		"cr-end.csv":    {[]byte("a,b\r"), "the file ends with CR"},
		"zero-byte.csv": {[]byte("a,b\n1,\x00\n"), "a byte is zero"},
		"utf16.csv":     {[]byte("\xff\xfea\x00,\x00b\x00\n\x00"), "it is UTF-16"},
	}
}

// small is a Dataset-JSON of one row.
func small(row string) string {
	return `{"datasetJSONVersion":"1.1.0","datasetJSONCreationDateTime":"2024","columns":[{"b":1,"a":[]}],"rows":[[` + row + `]]}`
}

func swap(t testing.TB, b []byte, old, new string) []byte {
	t.Helper()
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("there is no %q", old)
	}
	return bytes.Replace(b, []byte(old), []byte(new), 1)
}

func pretty(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// stamps returns where the stamps of a file made from dm.xpt stand.
func stamps(b []byte) (at []int) {
	at = []int{144, 160}
	for i := 240; i < len(b); i += 80 {
		if bytes.HasPrefix(b[i:], []byte("SAS     ")) && string(b[i+16:i+24]) == "SASDATA " && string(b[i-80:i-60]) == "HEADER RECORD*******" {
			at = append(at, i+64, i+80)
		}
	}
	return at
}

func restamped(b []byte, stamp string) []byte {
	b = slices.Clone(b)
	for _, i := range stamps(b) {
		copy(b[i:], stamp)
	}
	return b
}

// twoMembers is dm.xpt with a second member, of another name.
func twoMembers(dm []byte) []byte {
	return append(slices.Clone(dm), bytes.Replace(dm[240:], []byte("SAS     DM      "), []byte("SAS     SUPPDM  "), 1)...)
}

// lookalike is a file of one variable of 100 bytes, in whose observations a member's
// headers stand at the beginning of a record, with a time in them: these are data.
func lookalike(dm []byte, stamp string) []byte {
	obs := bytes.Index(dm, []byte(xptObsHeader))
	names := bytes.Index(dm, []byte(xptNamestrHeader))
	b := slices.Clone(dm[:names])
	b = append(b, xptNamestrHeader+"000100000000000000000000  "...)
	d := slices.Clone(dm[names+80 : names+80+140])
	copy(d, []byte{0, 2, 0, 0, 0, 100})
	b = append(append(b, d...), bytes.Repeat([]byte(" "), 20)...)
	b = append(b, dm[obs:obs+80]...)
	data := bytes.Repeat([]byte("x"), 80)
	data = append(data, dm[240:400]...)
	data = append(append(append(data, dm[400:464]...), stamp...), stamp...)
	return append(b, append(data, bytes.Repeat([]byte("y"), 400-len(data))...)...)
}

func TestGoodVectors(t *testing.T) {
	all := map[string]vector{}
	if *update {
		writeFiles(t, "good", goodFiles(t))
		for name, b := range goodFiles(t) {
			sum, _ := digest(t, Profile(name), b, 1<<16)
			all["good/"+name] = vector{Profile(name), sum}
		}
		for _, name := range []string{"dm.xpt", "dm.json", "dm.ndjson"} {
			sum, _ := digest(t, Profile(name), read(t, "testdata/cdisc/"+name), 1<<16)
			all["../cdisc/"+name] = vector{Profile(name), sum}
		}
		writeJSON(t, "good.json", all)
	}
	if err := json.Unmarshal(read(t, "testdata/vectors/good.json"), &all); err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		b := read(t, "testdata/vectors/"+name)
		for _, chunk := range []int{1, 79, 80, 4096, 1 << 20} {
			if got, ok := digest(t, want.Profile, b, chunk); !ok || got != want.SHA256 {
				t.Errorf("%s in chunks of %d: %s %t, want %s", name, chunk, got, ok, want.SHA256)
			}
		}
	}
	if len(all) != len(goodFiles(t))+3 {
		t.Errorf("%d vectors, want %d", len(all), len(goodFiles(t))+3)
	}
	// Computed with dd and sha256sum, and by a program of a few lines in another language.
	for name, want := range map[string]string{
		"../cdisc/dm.xpt":  "89bf651663dd707643eed6ccb3986948f86c7bdb729b4c871fef4e310d141a50",
		"../cdisc/dm.json": "633e105467b672f20636504fb9ac9d8327ed6da3e8def91aab12703375a82607",
	} {
		if all[name].SHA256 != want {
			t.Errorf("%s: %s, want %s", name, all[name].SHA256, want)
		}
	}
	// Groups of files that say the same; no two groups do.
	groups := [][]string{
		{"../cdisc/dm.xpt", "good/reexport.xpt", "good/unstamped.xpt"}, {"good/value.xpt"}, {"good/version.xpt"},
		{"good/two.xpt", "good/two-later.xpt"}, {"good/lookalike.xpt"}, {"good/lookalike2.xpt"},
		{"../cdisc/dm.json", "../cdisc/dm.ndjson", "good/reexport.json", "good/reexport.ndjson", "good/pretty.json", "good/escaped.json"},
		{"good/value.json", "good/value.ndjson"}, {"good/number.json"}, {"good/small.json", "good/small-2.json"}, {"good/small-3.json"},
		{"good/norows.json", "good/emptyrow.json"}, {"good/oneline.ndjson", "good/two-rows.json"},
		{"good/plain.csv", "good/windows.csv"}, {"good/value.csv"}, {"good/blank.csv"}, {"good/lines.csv", "good/lines-crlf.csv"},
		{"good/latin1.csv"}, {"good/marks.csv"},
	}
	of := map[string]string{}
	n := 0
	for _, g := range groups {
		for _, name := range g {
			n++
			if all[name].SHA256 != all[g[0]].SHA256 {
				t.Errorf("%s does not say the same as %s", name, g[0])
			}
		}
		if before, ok := of[all[g[0]].SHA256]; ok {
			t.Errorf("%s says the same as %s", g[0], before)
		}
		of[all[g[0]].SHA256] = g[0]
	}
	if n != len(all) {
		t.Errorf("%d vectors stand in a group, of %d", n, len(all))
	}
}

func TestBadVectors(t *testing.T) {
	reasons := map[string]string{}
	if *update {
		files := map[string][]byte{}
		for name, f := range badFiles(t) {
			files[name], reasons[name] = f.b, f.why
		}
		writeFiles(t, "bad", files)
		writeJSON(t, "bad.json", reasons)
	}
	if err := json.Unmarshal(read(t, "testdata/vectors/bad.json"), &reasons); err != nil {
		t.Fatal(err)
	}
	if len(reasons) != len(badFiles(t)) {
		t.Errorf("%d vectors, want %d", len(reasons), len(badFiles(t)))
	}
	for name, why := range reasons {
		b := read(t, "testdata/vectors/bad/"+name)
		for _, chunk := range []int{1, 80, 1 << 20} {
			if sum, ok := digest(t, Profile(name), b, chunk); ok {
				t.Errorf("%s, in chunks of %d, has the digest %s, although %s", name, chunk, sum, why)
			}
		}
	}
}

func writeFiles(t *testing.T, kind string, files map[string][]byte) {
	dir := "testdata/vectors/" + kind
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func writeJSON(t *testing.T, name string, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/vectors/"+name, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
