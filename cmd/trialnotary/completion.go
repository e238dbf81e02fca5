package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// argumentFiles are the endings of the files that a verb's arguments name, by
// position, the last for all that follow; nil: any file or directory. A verb that
// is not here takes no file.
func argumentFiles() map[string][][]string {
	trial, evidence := []string{"trial"}, []string{"receipt", "history", "zip", "pdf", "quiet", "equivocation"}
	party, past := []string{"trial", "invite"}, []string{"trial", "history"}
	return map[string][][]string{
		"seal": {nil}, "verify": {evidence, nil}, "explain": {{"receipt", "zip"}, nil}, "receipt": {{"pending", "receipt"}}, "renew": {{"receipt"}}, "submit": {{"pending"}},
		"withdraw": {{"receipt"}}, "share": {{"receipt"}, nil}, "certificate": {{"receipt"}},
		"join": {{"invite"}}, "trust": {{"trust", "trial", "invite"}},
		"inspect": {{"receipt", "manifest", "pending", "opening", "trust", "trial", "invite", "key", "pub", "history", "zip", "pdf", "quiet", "equivocation"}},
		"enrol":   {trial, {}, {"pub"}}, "revoke": {trial, {"pub"}}, "succeed": {trial, {"pub"}, {"pub"}},
		"status": {trial}, "reads": {trial}, "timeline": {past}, "absent": {past, {}}, "history": {party}, "fetch": {party}, "watch": {party}, "quiet": {party},
		"export": {trial}, "mirror": {{}, nil},
		"man": {nil}, "audit": {nil},
	}
}

// flagFiles are the endings of the files that flags name, in whatever verb.
func flagFiles() map[string]string {
	return map[string]string{"key": "key", "invite": "invite", "trial": "trial", "trust": "trust", "manifest": "manifest",
		"opening": "opening", "cosign": "key", "font": "ttf", "csv": "csv", "recovery": "pub", "supersedes": "receipt", "about": "receipt"}
}

// complete tells shells which files fit where.
func complete(v *cobra.Command) {
	at := argumentFiles()[v.Name()]
	if len(v.ValidArgs) > 0 {
		return // words, no files
	}
	v.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(at) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		switch ext := at[min(len(args), len(at)-1)]; {
		case ext == nil:
			return nil, cobra.ShellCompDirectiveDefault
		case len(ext) == 0:
			return nil, cobra.ShellCompDirectiveNoFileComp
		default:
			return ext, cobra.ShellCompDirectiveFilterFileExt
		}
	}
	files := flagFiles()
	v.Flags().VisitAll(func(f *pflag.Flag) {
		// Of the flags named trial, some are a fingerprint's.
		if ext := files[f.Name]; ext != "" && !strings.Contains(f.Usage, "FINGERPRINT") {
			f.Annotations = map[string][]string{cobra.BashCompFilenameExt: {ext}}
		}
	})
	for name, all := range map[string][]string{"kind": strings.Split(sealKinds(), ", "), "meaning": {"authorship", "review", "approval", "responsibility"}} {
		if v.Flags().Lookup(name) != nil {
			// It fails only for what is not there, or is twice.
			_ = v.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(slices.Clone(all), cobra.ShellCompDirectiveNoFileComp))
		}
	}
}
