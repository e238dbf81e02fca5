package certificate

import (
	"fmt"

	"github.com/boombuler/barcode/qr"

	"trialnotary/notary/receipt"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// codeText is what the code holds: see the package comment.
func codeText(v *receipt.Verdict, entry []byte) string {
	leaf := tile.LeafHash(entry)
	root := "-"
	if d := v.Note.Dataset; d != nil {
		root = text.Base64(d.Root[:])
	}
	return fmt.Sprintf("TRIALNOTARY1 %s %d %s %s", v.Origin, v.Entry.Index, text.Base64(leaf[:]), root)
}

// code returns the modules of a QR code of that text, row by row, without its margin.
func code(s string) ([][]bool, error) {
	c, err := qr.Encode(s, qr.M, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("certificate: code: %w", err)
	}
	n := c.Bounds().Dx()
	rows := make([][]bool, n)
	for y := range rows {
		rows[y] = make([]bool, n)
		for x := range rows[y] {
			dark, _, _, _ := c.At(x, y).RGBA()
			rows[y][x] = dark == 0
		}
	}
	return rows, nil
}
