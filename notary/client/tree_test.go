package client

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// plant writes files below a new directory and returns it.
func plant(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), data)
	}
	return dir
}

func write(t testing.TB, name, data string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(data), 0o666)); err != nil {
		t.Fatal(err)
	}
}

// trial is the data of the sample evidence.
var trial = map[string]string{"a.csv": "id,age\n1,40\n", "lab/b.csv": "id,hb\n1,13.5\n", "readme.txt": "synthetic\n"}

func scan(t testing.TB, paths ...string) *Tree {
	t.Helper()
	tree, err := Scan(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestNamesInTheManifest(t *testing.T) {
	dir := plant(t, trial)
	base := filepath.Base(dir)
	in := func(names ...string) (paths []string) {
		for _, n := range names {
			paths = append(paths, filepath.Join(dir, filepath.FromSlash(n)))
		}
		return paths
	}
	for _, c := range []struct {
		what  string
		paths []string
		want  []string
	}{
		{"a directory", in(""), []string{"a.csv", "lab/b.csv", "readme.txt"}},
		{"a directory, with a slash", []string{dir + string(os.PathSeparator)}, []string{"a.csv", "lab/b.csv", "readme.txt"}},
		{"a file", in("lab/b.csv"), []string{"b.csv"}},
		{"all that a directory holds", in("a.csv", "lab", "readme.txt"), []string{"a.csv", "lab/b.csv", "readme.txt"}},
		{"two files", in("readme.txt", "lab/b.csv"), []string{"b.csv", "readme.txt"}},
		{"a directory among others", in("", "lab/b.csv"), []string{"b.csv", base + "/a.csv", base + "/lab/b.csv", base + "/readme.txt"}},
	} {
		tree := scan(t, c.paths...)
		slices.Sort(c.want)
		if got := tree.Paths(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	t.Chdir(dir)
	if got := scan(t, ".").Paths(); !slices.Equal(got, []string{"a.csv", "lab/b.csv", "readme.txt"}) {
		t.Errorf("the current directory: %q", got)
	}
	if got := scan(t, ".", filepath.Join("lab", "b.csv")).Paths(); !slices.Contains(got, base+"/a.csv") {
		t.Errorf("the current directory among others: %q", got)
	}
}

func TestSizesAreKnownBeforeHashing(t *testing.T) {
	if tree := scan(t, plant(t, trial)); tree.Len() != 3 || tree.Bytes() != 35 {
		t.Errorf("%d files, %d bytes", tree.Len(), tree.Bytes())
	}
}

func TestWhatIsLeftOutIsTold(t *testing.T) {
	dir := plant(t, trial)
	tree, err := Scan([]string{dir}, func(name string, _ bool) bool { return name == "lab" || name == "readme.txt" })
	if err != nil {
		t.Fatal(err)
	}
	if got := tree.Paths(); !slices.Equal(got, []string{"a.csv"}) || !slices.Equal(tree.Skipped, []string{"lab/", "readme.txt"}) {
		t.Errorf("kept %q, left out %q", got, tree.Skipped)
	}
	_, err = Scan([]string{dir}, func(string, bool) bool { return true })
	refused(t, "everything left out", err, "no file but those left out")
}

// refused checks the three sentences of an error: what, nothing lost, what to do.
func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[*InputError](err)
	if !ok || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", what, err, want)
		return
	}
	if s := err.Error(); !strings.HasPrefix(e.Safe, "Nothing was ") || e.Do == "" || !strings.HasSuffix(s, ".") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
		t.Errorf("%s: not three printable sentences: %q", what, s)
	}
}

func TestScanRefuses(t *testing.T) {
	dir := plant(t, trial)
	_, err := Scan(nil, nil)
	refused(t, "nothing", err, "no file or directory was named")
	_, err = Scan([]string{filepath.Join(dir, "absent")}, nil)
	refused(t, "a name that does not exist", err, "cannot be found")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cause is lost: %v", err)
	}
	_, err = Scan([]string{t.TempDir()}, nil)
	refused(t, "an empty directory", err, "holds no file")
	nested := t.TempDir()
	os.MkdirAll(filepath.Join(nested, "a", "b"), 0o777)
	_, err = Scan([]string{nested}, nil)
	refused(t, "only empty directories", err, "holds no file")
	_, err = Scan([]string{dir, nested}, nil)
	refused(t, "an empty directory among others", err, "holds no file")
	_, err = Scan([]string{filepath.Join(dir, "a.csv"), filepath.Join(dir, "a.csv")}, nil)
	refused(t, "a file named twice", err, "Name it once")
	write(t, filepath.Join(dir, "other", "a.csv"), "x")
	_, err = Scan([]string{filepath.Join(dir, "a.csv"), filepath.Join(dir, "other", "a.csv")}, nil)
	refused(t, "two files of one base name", err, `both be named "a.csv"`)
}

func TestScanRefusesWhatIsNoRegularFile(t *testing.T) {
	dir := plant(t, trial)
	link := filepath.Join(dir, "link.csv")
	if err := os.Symlink("a.csv", link); err != nil {
		t.Skipf("this system makes no symbolic links here: %v", err)
	}
	_, err := Scan([]string{dir}, nil)
	refused(t, "a symbolic link below", err, "is a symbolic link")
	_, err = Scan([]string{link}, nil)
	refused(t, "a symbolic link", err, "is a symbolic link")
	os.Remove(link)
	os.Symlink("lab", link)
	_, err = Scan([]string{dir}, nil)
	refused(t, "a symbolic link to a directory", err, "is a symbolic link")
	if runtime.GOOS != "windows" {
		_, err = Scan([]string{os.DevNull}, nil)
		refused(t, "a device", err, "neither a file nor a directory")
	}
}

func TestScanRefusesNamesNoManifestHolds(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("this system does not create such names")
	}
	for name, why := range map[string]string{"a\nb": "no manifest can hold", "a\x1b[2Jb": "no manifest can hold", `a\b`: "backslash",
		"gpj.\u202etxt": "bidirectional", "a\xff": "not UTF-8", "a ": "blank"} {
		_, err := Scan([]string{plant(t, map[string]string{name: "x"})}, nil)
		refused(t, name, err, why)
	}
	dir := plant(t, map[string]string{"\u00fc.csv": "x", "u\u0308.csv": "y"})
	_, err := Scan([]string{dir}, nil)
	refused(t, "two spellings of one name", err, `both be named "ü.csv"`)
}

func TestNamesAreNormalised(t *testing.T) {
	tree := scan(t, plant(t, map[string]string{"Mu\u0308ller/o\u0308.csv": "x"}))
	if got := tree.Paths(); !slices.Equal(got, []string{"Müller/ö.csv"}) {
		t.Errorf("%q", got)
	}
	m, err := tree.Hash(t.Context(), nil)
	if err != nil || m.Files[0].Size != 1 {
		t.Errorf("the file is not found under its name on disk: %v", err)
	}
}

func TestScanRefusesWhatItMayNotList(t *testing.T) {
	dir := plant(t, trial)
	w := walker{safe: nothingSealed, hint: "seal", list: func(name string) ([]fs.DirEntry, error) {
		if filepath.Base(name) == "lab" {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
		}
		return os.ReadDir(name)
	}}
	_, err := w.scan([]string{dir})
	refused(t, "an unreadable directory", err, "cannot be listed")
}

// The logic of paths with the separators of other systems.
func TestBaseNames(t *testing.T) {
	for _, c := range []struct {
		path string
		sep  byte
		want string
	}{
		{"/data/a.csv", '/', "a.csv"}, {"/data/", '/', "data"}, {"data//", '/', "data"}, {"/", '/', ""}, {"", '/', ""}, {`a\b`, '/', `a\b`}, {"C:", '/', "C:"},
		{`C:\data\a.csv`, '\\', "a.csv"}, {`C:\data\`, '\\', "data"}, {`C:\`, '\\', ""}, {`C:`, '\\', ""}, {`C:a.csv`, '\\', "a.csv"},
		{`C:/data/a.csv`, '\\', "a.csv"}, {`\\server\share\x`, '\\', "x"}, {`\\server\share`, '\\', "share"}, {`data\lab/`, '\\', "lab"},
	} {
		if got := baseName(c.path, c.sep); got != c.want {
			t.Errorf("%q with %q: %q, want %q", c.path, c.sep, got, c.want)
		}
	}
	for _, c := range []struct {
		root, rel string
		sep       byte
		want      string
	}{
		{"data", "lab/b.csv", '/', "data/lab/b.csv"}, {"/", "b.csv", '/', "/b.csv"}, {"data", "lab/b.csv", '\\', `data\lab\b.csv`},
		{`C:\`, "lab/b.csv", '\\', `C:\lab\b.csv`}, {`C:/data/`, "b.csv", '\\', `C:/data/b.csv`}, {`a\`, "b", '/', `a\/b`},
	} {
		if got := joinDiskWith(c.root, c.rel, c.sep); got != c.want {
			t.Errorf("%q below %q: %q, want %q", c.rel, c.root, got, c.want)
		}
	}
}

func TestPathsAreSorted(t *testing.T) {
	files := map[string]string{}
	for _, n := range []string{"a-b", "a/b", "a.b", "a/a", "B", "é", "z"} {
		files[n] = n
	}
	if got, want := scan(t, plant(t, files)).Paths(), slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
