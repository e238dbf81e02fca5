package client

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// TestPrivate: nobody but its owner is in the access list of a private file.
func TestPrivate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.key")
	if err := WriteNew(name, []byte("x"), Private); err != nil {
		t.Fatal(err)
	}
	got, err := windows.GetNamedSecurityInfo(name, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	if s := got.String(); !strings.HasPrefix(s, "D:P") || strings.Count(s, "(") != 1 || !strings.Contains(s, user.User.Sid.String()) {
		t.Errorf("access list %s", s)
	}
}
