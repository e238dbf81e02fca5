package client

import (
	"path"
	"strings"
)

// Litter reports whether a file is one that desktops leave in every directory they
// show, which is nobody's data: Thumbs.db and desktop.ini of Windows, .DS_Store and
// ._NAME of macOS, ~$NAME of Office while a document is open. Directories of such a
// name are none. It is a skip for [Scan].
func Litter(name string, dir bool) bool {
	base := path.Base(name)
	switch {
	case dir:
		return false
	case strings.EqualFold(base, "Thumbs.db"), strings.EqualFold(base, "desktop.ini"), base == ".DS_Store":
		return true
	}
	return strings.HasPrefix(base, "~$") || strings.HasPrefix(base, "._")
}
