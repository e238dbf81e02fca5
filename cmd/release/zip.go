package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"slices"
)

// zipOf packs files into a folder of their own, sorted, all with the time of the
// commit.
func zipOf(v version, files []file) ([]byte, error) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: "trialnotary/" + f.name, Method: zip.Deflate, Modified: v.time}
		h.SetMode(0o644)
		if f.executable {
			h.SetMode(0o755)
		}
		to, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := to.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
