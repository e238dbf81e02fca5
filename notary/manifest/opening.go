package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/text/unicode/norm"

	"trialnotary/notary/text"
)

// OpeningVersion is the comment line of an opening.
const OpeningVersion = "trialnotary/opening@v1"

// MaxOpeningSize is the size in bytes of the largest opening read. Whoever wants
// to show more than some 40,000 files shows the manifest.
const MaxOpeningSize = 64 << 20

// Opening shows some files of a dataset and hides the others: a txtar with, per
// file and n from 1, the parts file-<n> (the [Leaf]) and proof-<n>:
//
//	trialnotary/opening@v1
//	-- file-1 --
//	trialnotary/file@v1
//	path a.csv
//	…
//	-- proof-1 --
//	root AU5XUydotHFrrCjLZaREgRGRjKBbsu57/8ezKm1kOlc=
//	files 3
//	index 0
//	node wtXDQx6jdxluq+gDF/Xa65Q1iRngkZpRzo0GQZPYb50=
//	node kYUeA8TTYPzG8UYe4q+KhMEGN423RY08wyp1lEYLds0=
type Opening struct {
	Files []Opened // at least one, with increasing paths and indexes, all of one dataset
}

// Opened is one file of an [Opening] with its place in the tree.
type Opened struct {
	Leaf  Leaf
	Root  [32]byte
	Files uint64     // files in the whole dataset
	Index uint64     // 0 ≤ Index < Files
	Proof [][32]byte // RFC 6962 §2.1.1, leaf side first
}

// Open returns the opening of the files with these paths, in any order; each is
// normalised first. A path given twice is opened once. It fails for a path that
// the manifest does not have.
func (m *Manifest) Open(paths ...string) (*Opening, error) {
	var at []int
	for _, p := range paths {
		i, ok := m.Find(norm.NFC.String(p))
		if !ok {
			return nil, fmt.Errorf("opening: %q is no file of this manifest", p)
		}
		at = append(at, i)
	}
	if len(at) == 0 {
		return nil, fmt.Errorf("opening: no path was named")
	}
	slices.Sort(at)
	s := newSalts(m.Secret)
	t, root := m.tree()
	o := &Opening{}
	for _, i := range slices.Compact(at) {
		p, err := t.prove(uint64(i))
		if err != nil {
			return nil, fmt.Errorf("opening: prove %q: %w", m.Files[i].Path, err)
		}
		o.Files = append(o.Files, Opened{
			Leaf: m.leaf(s, i), Root: root, Files: uint64(len(m.Files)), Index: uint64(i), Proof: p,
		})
	}
	return o, nil
}

// ParseOpening parses an opening of at most [MaxOpeningSize] bytes whose byte
// order mark and CR LF line ends [text.Outer] has undone. Proofs are not
// checked: see [Opening.Verify]. Errors wrap [text.ErrFormat] and name the part
// and its line.
func ParseOpening(b []byte) (*Opening, error) {
	a, err := text.ParseArchive(b, OpeningVersion, MaxOpeningSize)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	o := &Opening{}
	for i, p := range a.Parts {
		n := i/2 + 1
		want := "file-" + strconv.Itoa(n)
		if i%2 == 1 {
			want = "proof-" + strconv.Itoa(n)
		}
		if p.Name != want {
			return nil, fmt.Errorf("opening: part %q stands where %q is due: %w", clip(p.Name), want, text.ErrFormat)
		}
		if i%2 == 0 {
			var f Opened
			f.Leaf, err = ParseLeaf(p.Data)
			o.Files = append(o.Files, f)
		} else {
			err = o.Files[n-1].parseProof(p.Data)
		}
		if err != nil {
			return nil, fmt.Errorf("opening: part %s: %w", p.Name, err)
		}
	}
	if len(a.Parts)%2 == 1 {
		return nil, fmt.Errorf("opening: part %q is missing: %w", "proof-"+strconv.Itoa(len(o.Files)), text.ErrFormat)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	return o, nil
}

func (f *Opened) parseProof(b []byte) error {
	r := text.NewReader(b)
	f.Root = r.Hash("root")
	f.Files = r.Uint("files")
	f.Index = r.Uint("index")
	for r.Has("node") {
		if f.Proof = append(f.Proof, r.Hash("node")); len(f.Proof) > 64 {
			r.Fail("is a 65th node; no tree is that high")
		}
	}
	return r.Done()
}

// Bytes returns the opening's text, or an error when it breaks a rule.
func (o *Opening) Bytes() ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	a := text.Archive{Version: OpeningVersion}
	for i, f := range o.Files {
		n := strconv.Itoa(i + 1)
		var b strings.Builder
		fmt.Fprintf(&b, "root %s\nfiles %d\nindex %d\n", text.Base64(f.Root[:]), f.Files, f.Index)
		for _, h := range f.Proof {
			fmt.Fprintf(&b, "node %s\n", text.Base64(h[:]))
		}
		a.Parts = append(a.Parts,
			text.Part{Name: "file-" + n, Data: f.Leaf.append(nil)},
			text.Part{Name: "proof-" + n, Data: []byte(b.String())})
	}
	return a.Bytes()
}

func (o *Opening) check() error {
	if len(o.Files) == 0 {
		return fmt.Errorf("opening: opens no file: %w", text.ErrFormat)
	}
	for i := range o.Files {
		f := &o.Files[i]
		if err := f.Leaf.check(); err != nil {
			return fmt.Errorf("opening: part file-%d: %w", i+1, err)
		}
		var why string
		switch {
		case f.Index >= f.Files:
			why = fmt.Sprintf("has index %d of %d files", f.Index, f.Files)
		case len(f.Proof) > 64:
			why = fmt.Sprintf("has %d nodes; no tree is that high", len(f.Proof))
		case i == 0:
		case f.Root != o.Files[0].Root || f.Files != o.Files[0].Files:
			why = "is about another dataset than the first"
		case f.Index <= o.Files[i-1].Index:
			why = "has an index that is not after the one before"
		case f.Leaf.Path <= o.Files[i-1].Leaf.Path:
			why = "has a path that is not after the one before"
		}
		if why != "" {
			return fmt.Errorf("opening: part proof-%d %s: %w", i+1, why, text.ErrFormat)
		}
	}
	return nil
}

// Verify returns nil iff every file opened is in the dataset with that root and
// number of files, as a statement gives them. That some bytes are those files
// is for the caller to compare: size and both digests.
func (o *Opening) Verify(root [32]byte, files uint64) error {
	if err := o.check(); err != nil {
		return err
	}
	for i := range o.Files {
		f := &o.Files[i]
		switch {
		case f.Files != files:
			return fmt.Errorf("opening: it is of a dataset of %d files, the statement is about %d", f.Files, files)
		case f.Root != root:
			return fmt.Errorf("opening: it is of another dataset than the statement is about: root %s, not %s",
				text.Base64(f.Root[:]), text.Base64(root[:]))
		}
		nodes := make([][]byte, len(f.Proof))
		for j := range nodes {
			nodes[j] = f.Proof[j][:]
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(f.Leaf.append(nil))
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, f.Index, f.Files, leaf, nodes, root[:]); err != nil {
			return fmt.Errorf("opening: %q is not in the dataset as the opening claims: %w", f.Leaf.Path, err)
		}
	}
	return nil
}
