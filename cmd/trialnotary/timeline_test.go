package main

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/entry"
	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// storyPage is the page of a trial in which much went wrong.
func storyPage(t *testing.T) (*checkedHistory, *history.Timeline, []byte) {
	t.Helper()
	dir := filepath.Join("..", "..", "notary", "history", "testdata", "story")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	trust, err := receipt.ParseTrust(read("story.trust"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := history.Parse(read("trial.history"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	v, err := h.Verify(receipt.Options{Trust: trust, Confirmed: true, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	r := &checkedHistory{file: "trial.history", verdict: v, trust: belief{trust, "story.trust", "given by you", true}}
	tl := v.Timeline()
	page, err := timelinePage(r, tl, now)
	if err != nil {
		t.Fatal(err)
	}
	return r, tl, page
}

func TestTimelinePage(t *testing.T) {
	t.Setenv("TZ", "UTC")
	time.Local = time.UTC
	_, _, page := storyPage(t)
	golden := filepath.Join("testdata", "timeline.html")
	if os.Getenv("UPDATE_SCRIPTS") != "" {
		if err := os.WriteFile(golden, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, want) {
		t.Errorf("the page is not testdata/timeline.html; if that is meant, run with UPDATE_SCRIPTS=1 and look at it")
	}
	harmless(t, page)
	for _, shown := range []string{
		"3 of the 6 rules that this trial set itself are broken",
		">OUT OF ORDER<", ">MISSING<", ">CANNOT BE KNOWN<", ">ok<",
		"ANOTHER registration", "INVALID dataset", "erased: the participant asked for it", "WITHDRAWN by #11",
		"reason: a value was corrected &lt;b&gt;after query 17&lt;/b&gt;",
		"it was revoked at index 18", "auditor.example recomputed the log and every map up to here",
	} {
		if !bytes.Contains(page, []byte(shown)) {
			t.Errorf("the page does not show %q", shown)
		}
	}
}

// harmless: the page loads nothing, runs nothing, and its policy says so.
func harmless(t *testing.T, page []byte) {
	t.Helper()
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	hash := sha256.Sum256(style[1])
	policy := `content="default-src &#39;none&#39;; style-src &#39;sha256-` + strings.ReplaceAll(text.Base64(hash[:]), "+", "&#43;") + `&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`
	if !bytes.Contains(page, []byte(policy)) {
		t.Errorf("the page's policy does not allow its own style alone; want %s", policy)
	}
	rest := bytes.Replace(page, []byte(`xmlns="http://www.w3.org/2000/svg"`), nil, -1)
	for what, pattern := range map[string]string{
		"a script": `(?i)<script`, "an address": `(?i)https?:|//[a-z]`, "something loaded": `(?i)<[^>]*\b(src|href|srcset|action|data)=`,
		"a handler": `(?i)<[^>]*\son[a-z]+=`, "a style in a tag": `(?i)<[^>]*\sstyle=`, "a foreign element": `(?i)<(img|iframe|object|embed|link|base|form|foreignObject|use|image)\b`,
		"something from elsewhere in the style": `(?i)url\(|@import`,
	} {
		if m := regexp.MustCompile(pattern).Find(rest); m != nil {
			t.Errorf("the page has %s: %s", what, m)
		}
	}
}

// Whatever a statement, a name or a trust file says, it is text.
func TestTimelinePageEscapesEverything(t *testing.T) {
	for _, evil := range []string{
		`"><script>alert(1)</script>`, `</title></svg><img src=x onerror=alert(1)>`, `{{.Policy}}`, `' onload='x`, `</style><script>`,
		"--><b>", "a\u202eb\u2028", `&lt;script&gt;`, `javascript:alert(1)`,
	} {
		s := &history.StreamVerdict{Kind: history.Named, Name: evil, Trial: evil}
		note := &statement.Note{Statement: statement.Statement{Kind: statement.Kind(evil), Label: evil, Reason: evil, Signer: evil, Meaning: statement.Meaning(evil), Person: evil,
			Keys: []statement.Key{{Role: statement.Role(evil), Name: evil}}}}
		note.KeyName = evil
		var items []*history.Item
		for n, state := range []history.State{history.Valid, history.Invalid, history.Undecided, history.Closed} {
			i := &history.Item{Entry: entry.Entry{Index: uint64(n), Batch: 1}, State: state, Note: note, Why: evil, Stream: s}
			if state == history.Closed {
				i.Note = nil
			}
			items = append(items, i)
		}
		s.Items = items
		v := &history.Verdict{Origin: evil, Streams: []*history.StreamVerdict{s}, Missing: []string{evil}, NoRegistration: evil, Auditors: []history.Auditor{{Name: evil}}}
		tl := v.Timeline()
		tl.Rules = []history.Ruling{{Rule: statement.Rule{First: statement.Kind(evil), Then: statement.Kind(evil)}, State: history.OutOfOrder, Why: evil, Earliest: tl.Events[0], By: tl.Events[1:3]}}
		page, err := timelinePage(&checkedHistory{verdict: v, trust: belief{nil, evil, evil, false}}, tl, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		clean, err := timelinePage(&checkedHistory{verdict: &history.Verdict{}}, (&history.Verdict{}).Timeline(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		harmless(t, bytes.ReplaceAll(page, []byte("javascript:alert(1)"), nil))
		for _, tag := range []string{"<script", "<img", "<style", "</style", "<title", "<svg ", "</svg"} {
			if n, want := bytes.Count(page, []byte(tag)), bytes.Count(clean, []byte(tag)); tag != "<title" && n != want {
				t.Errorf("%q: %d of %s, want %d", evil, n, tag, want)
			}
		}
		if bytes.ContainsAny(page, "\u202e\u2028") {
			t.Errorf("%q: a character that turns the line stands in the page", evil)
		}
	}
}

// Names do not run into each other, and everything is inside the picture.
func TestPictureHasRoom(t *testing.T) {
	_, tl, _ := storyPage(t)
	for len(tl.Events) < 800 { // a long trial: the same again
		for _, e := range tl.Events[:22] {
			c := *e
			c.Number = len(tl.Events) + 1
			tl.Events = append(tl.Events, &c)
		}
	}
	p := drawPicture(tl)
	type place struct{ y, level int }
	end := map[place]float64{}
	labels := 0
	for n, m := range p.Marks {
		if m.X < gutter || m.X > p.Width || m.Y > p.Height || n > 0 && m.X <= p.Marks[n-1].X {
			t.Fatalf("mark %d stands at %d, %d of %d × %d", n+1, m.X, m.Y, p.Width, p.Height)
		}
		if m.Label == "" {
			continue
		}
		labels++
		at := place{m.Y, m.LabelY}
		if start := float64(m.X) - 6; start < end[at] {
			t.Errorf("the label of %d runs into the one before", n+1)
		} else {
			end[at] = start + float64(len(m.Label))*charWidth
		}
	}
	if labels < 100 || len(p.Lanes) != 5 || len(p.Rules) != 6 {
		t.Errorf("%d labels, %d lanes, %d rules", labels, len(p.Lanes), len(p.Rules))
	}
}
