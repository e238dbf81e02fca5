package tile

import (
	"fmt"
	"sync"
)

// maxHeld bounds how many tiles a [Tree] holds, at some 16 KiB each.
const maxHeld = 4096

// Tree makes many inclusion proofs from the tiles of one log at one size, for that
// size and every smaller one. A tile is read once and each of its nodes hashed
// once, if the proofs are asked for by ascending index. The tiles are believed: a
// proof is worth something after [VerifyInclusion]. Safe for concurrent use.
type Tree struct {
	size uint64
	get  func(name string) ([]byte, error)

	mu   sync.Mutex
	held map[place]*pyramid
}

type place struct {
	level int
	index uint64
}

// pyramid is a tile with the nodes above its hashes: row r has one for each
// complete subtree over 2^r of them.
type pyramid struct {
	once sync.Once
	rows [9][]Hash
	err  error
}

// NewTree returns the tree of that size. get returns the object of a name, with
// the partial widths of that size; it may be called by several at once.
func NewTree(size uint64, get func(name string) ([]byte, error)) *Tree {
	return &Tree{size: size, get: get, held: map[place]*pyramid{}}
}

// Inclusion returns the proof for leaf index in the tree of the first size leaves,
// index < size ≤ the size of t.
func (t *Tree) Inclusion(index, size uint64) ([]Hash, error) {
	if size > t.size {
		return nil, fmt.Errorf("inclusion of leaf %d at size %d: only %d leaves are known", index, size, t.size)
	}
	p, err := inclusion(t.node, index, size)
	if err != nil {
		return nil, fmt.Errorf("inclusion of leaf %d at size %d: %w", index, size, err)
	}
	return p, nil
}

func (t *Tree) node(level int, index uint64) (Hash, error) {
	within := level % 8
	first := index << within
	p := t.pyramid(place{level / 8, first / Width})
	if p.err != nil {
		return Hash{}, p.err
	}
	return p.rows[within][first%Width>>within], nil
}

func (t *Tree) pyramid(at place) *pyramid {
	t.mu.Lock()
	p := t.held[at]
	if p == nil {
		if len(t.held) >= maxHeld {
			clear(t.held) // those still in use stay with their users
		}
		p = &pyramid{}
		t.held[at] = p
	}
	t.mu.Unlock()
	p.once.Do(func() { p.read(t, at) })
	if p.err != nil {
		t.mu.Lock()
		if t.held[at] == p {
			delete(t.held, at) // the next one asks again
		}
		t.mu.Unlock()
	}
	return p
}

func (p *pyramid) read(t *Tree, at place) {
	width := widthOf(at.level, at.index, t.size)
	if width == 0 {
		p.err = fmt.Errorf("there is no tile %d of level %d in a tree of %d", at.index, at.level, t.size)
		return
	}
	name := HashPath(at.level, at.index, width)
	b, err := t.get(name)
	if err == nil && len(b) != width*HashSize {
		err = fmt.Errorf("%s has %d bytes, want %d: %w", name, len(b), width*HashSize, ErrFormat)
	}
	if p.err = err; err != nil {
		return
	}
	p.rows[0] = make([]Hash, width)
	for i := range p.rows[0] {
		p.rows[0][i] = Hash(b[i*HashSize:])
	}
	for r := 1; r < len(p.rows); r++ {
		below := p.rows[r-1]
		p.rows[r] = make([]Hash, len(below)/2)
		for i := range p.rows[r] {
			p.rows[r][i] = NodeHash(below[2*i], below[2*i+1])
		}
	}
}
