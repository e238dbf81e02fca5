package manifest

import (
	"crypto/sha256"
	"math/bits"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Root returns the dataset root: the RFC 6962 §2.1 tree head over the leaves in
// path order. It takes time in proportion to the number of files; keep it.
func (m *Manifest) Root() [32]byte { return m.grow(nil) }

// grow builds the tree leaf by leaf, shows visit every complete subtree
// if it is not nil, and returns the root. It holds one path of hashes.
func (m *Manifest) grow(visit compact.VisitFn) [32]byte {
	f := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	r := f.NewEmptyRange(0)
	s := newSalts(m.Secret)
	var b []byte
	for i := range m.Files {
		b = m.leaf(s, i).append(append(b[:0], rfc6962.RFC6962LeafHashPrefix))
		h := sha256.Sum256(b)
		if err := r.Append(h[:], visit); err != nil {
			panic(err) // only past 2⁶⁴ leaves
		}
	}
	root, err := r.GetRootHash(nil)
	if err != nil || root == nil { // nil: no leaves
		return sha256.Sum256(nil)
	}
	return [32]byte(root)
}

// tree holds the hashes of all complete subtrees: tree[level][index].
type tree [][][]byte

func (m *Manifest) tree() (tree, [32]byte) {
	t := make(tree, bits.Len(uint(len(m.Files))))
	root := m.grow(func(id compact.NodeID, hash []byte) {
		t[id.Level] = append(t[id.Level], hash) // of one level, they come in order
	})
	return t, root
}

// prove returns the inclusion proof of leaf index (RFC 6962 §2.1.1).
func (t tree) prove(index uint64) ([][32]byte, error) {
	n, err := proof.Inclusion(index, uint64(len(t[0])))
	if err != nil {
		return nil, err
	}
	hashes := make([][]byte, len(n.IDs))
	for i, id := range n.IDs {
		hashes[i] = t[id.Level][id.Index]
	}
	hashes, err = n.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	if err != nil {
		return nil, err
	}
	p := make([][32]byte, len(hashes))
	for i, h := range hashes {
		p[i] = [32]byte(h)
	}
	return p, nil
}
