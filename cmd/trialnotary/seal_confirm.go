package main

import (
	"fmt"
	"hash/maphash"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trialnotary/notary/client"
	"trialnotary/notary/text"
)

// agree shows on a terminal what is about to be sealed and asks; elsewhere, and with
// --yes, it only warns.
func (a *app) agree(s sealing) error {
	if a.terminal && !s.yes {
		return a.confirm(s.summary("ABOUT TO SEAL"), "Seal this?", "Nothing was written or sent.")
	}
	for _, c := range s.careful {
		fmt.Fprintf(a.err, "trialnotary: careful: %s\n", text.Visible(c))
	}
	return nil
}

// summary is what is about to be sealed, and by whom.
func (s *sealing) summary(word string) *sheet {
	out := &sheet{word: word, head: strings.Join([]string{s.kind, s.from.stream, s.from.trial}, " · ")}
	if s.label != "" {
		out.add("label", "%s", s.label)
	}
	if s.of != nil {
		what := string(s.of.note.Kind)
		if s.of.note.Label != "" {
			what += " “" + s.of.note.Label + "”"
		}
		out.add("withdraws", "%s, signed %s: %s", what, moment(s.of.note.Time), s.of.file)
		out.more("it stays sealed, and the withdrawal is seen beside it")
	}
	if s.reason != "" {
		out.add("reason", "%s", s.reason)
	}
	key := s.from.key.Public.Name
	if s.from.person != "" {
		key += " of " + s.from.person
	}
	out.add("key", "%s", key)
	if s.tree != nil {
		out.add("files", "%s, %s", count(s.tree.Len(), "file"), bytesOf(s.tree.Bytes()))
		n := 0
		for p, size := range s.tree.All() {
			if n++; n > 10 {
				out.more("and %s more", number(uint64(s.tree.Len()-10)))
				break
			}
			out.more("%s, %s", p, bytesOf(size))
		}
	}
	s.addOutside(out)
	for i, c := range s.careful {
		out.add("careful", "%s", c)
		if i == s.shown-1 {
			out.more("whoever is shown the receipt reads it, and it cannot be taken back")
		}
	}
	return out
}

// addOutside says what is left out, and against whose list the rest is checked.
func (s *sealing) addOutside(out *sheet) {
	switch {
	case s.checked != "":
		out.add("checked", "%s", s.checked)
	case s.list != nil:
		out.add("list", "%s, to be checked first", s.list.Title)
	}
	if left := s.leftOut(); len(left) > 0 {
		out.add("left out", "%s: %s", count(len(left), "file"), names(left))
	}
	if s.list != nil && s.tree != nil {
		if n := len(s.tree.Skipped) - len(s.leftOut()); n > 0 {
			out.add("beside it", "%s more, not listed and not sealed", number(uint64(n)))
		}
	}
}

// leftOut returns what desktops left behind and is not sealed.
func (s *sealing) leftOut() []string {
	if s.tree == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.tree.Skipped), func(p string) bool { return !client.Litter(p, strings.HasSuffix(p, "/")) })
}

// ownFiles says which private files of ours lie among the data, by their names:
// whoever is given the data would be given them.
func (s *sealing) ownFiles() []string {
	var found []string
	if s.tree == nil {
		return nil
	}
	for p := range s.tree.All() {
		if slices.Contains([]string{".key", ".invite", ".trial"}, path.Ext(p)) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return []string{found[0] + " is a private file of yours and no data: does it belong there?"}
	}
	return []string{names(found) + " are private files of yours and no data: do they belong there?"}
}

// notOnWindows says which names Windows gives to no file, or to no two of them: the
// data cannot be unpacked and checked there.
func (s *sealing) notOnWindows() (all []string) {
	if s.tree == nil {
		return nil
	}
	var unfit, alike []string
	why := ""
	lower := map[uint64]bool{} // of 100,000 names, less than their letters
	seed := maphash.MakeSeed()
	for p := range s.tree.All() {
		if w := client.UnfitForWindows(p); w != "" {
			unfit, why = append(unfit, p), w
		}
		h := maphash.String(seed, strings.ToLower(p))
		if lower[h] {
			alike = append(alike, p)
		}
		lower[h] = true
	}
	const so = ": nobody can unpack and check that there"
	switch len(unfit) {
	case 0:
	case 1:
		all = append(all, unfit[0]+" is a name that Windows gives to no file (it "+why+")"+so)
	default:
		all = append(all, names(unfit)+" are names that Windows gives to no file"+so)
	}
	if len(alike) > 0 {
		all = append(all, names(alike)+": on Windows another file has that name, which differs by upper and lower case alone"+so)
	}
	return all
}

func (a *app) showDryRun(s sealing) error {
	out := s.summary("WOULD SEAL")
	j := struct {
		State   string   `json:"state"`
		Trial   string   `json:"trial"`
		Stream  string   `json:"stream"`
		Kind    string   `json:"kind"`
		Bytes   uint64   `json:"bytes"`
		Files   []string `json:"files"`
		LeftOut []string `json:"left_out,omitempty"`
		Checked string   `json:"checked,omitempty"`
		Careful []string `json:"careful,omitempty"`
		Prefix  string   `json:"prefix"`
	}{"dry-run", s.from.trial, s.from.stream, s.kind, 0, []string{}, s.leftOut(), s.checked, s.careful, s.prefix}
	if s.tree != nil {
		j.Bytes, j.Files = s.tree.Bytes(), s.tree.Paths()
	}
	out.add("nothing", "was written or sent")
	return a.print(out, j)
}

// retyped writes a command anew as it was typed, with these flags, name and value,
// in place of those of the same name.
func retyped(c *cobra.Command, args []string, flags ...string) string {
	words := []string{c.CommandPath()}
	for i, arg := range args {
		if i == 5 && len(args) > 6 { // a glob
			words = append(words, "…")
			break
		}
		words = append(words, quote(arg))
	}
	for i := 0; i+1 < len(flags); i += 2 {
		words = append(words, "--"+flags[i], quote(flags[i+1]))
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		for i := 0; i+1 < len(flags); i += 2 {
			if flags[i] == f.Name {
				return
			}
		}
		switch v := f.Value.(type) {
		case pflag.SliceValue:
			for _, one := range v.GetSlice() {
				words = append(words, "--"+f.Name, quote(one))
			}
		default:
			if words = append(words, "--"+f.Name); v.Type() != "bool" {
				words = append(words, quote(v.String()))
			}
		}
	})
	return strings.Join(words, " ")
}
