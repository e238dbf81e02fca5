package streammap

// Memory is Nodes that reads each node once and keeps it, so that the LookupAll
// before an Update of the same streams, or proofs one after the other, read
// nothing twice. It grows with every node read and is meant to last for one
// batch. It is not safe for concurrent use.
type Memory struct {
	from Nodes
	kept map[Ref][]byte
}

// Remember returns an empty Memory in front of n.
func Remember(n Nodes) *Memory { return &Memory{n, make(map[Ref][]byte)} }

// Node implements [Nodes].
func (m *Memory) Node(batch uint64, offset, length int64) ([]byte, error) {
	ref := Ref{batch, uint32(offset), uint32(length)}
	if b, ok := m.kept[ref]; ok {
		return b, nil
	}
	b, err := m.from.Node(batch, offset, length)
	if err == nil {
		m.kept[ref] = b
	}
	return b, err
}

// NodeBatch implements [Reader], in one call to n where n does.
func (m *Memory) NodeBatch(refs []Ref) ([][]byte, error) {
	var missing []Ref
	for _, ref := range refs {
		if _, ok := m.kept[ref]; !ok {
			missing = append(missing, ref)
		}
	}
	if len(missing) > 0 {
		data, err := readAll(m.from, missing)
		if err != nil {
			return nil, err
		}
		for i, ref := range missing {
			m.kept[ref] = data[i]
		}
	}
	out := make([][]byte, len(refs))
	for i, ref := range refs {
		out[i] = m.kept[ref]
	}
	return out, nil
}
