package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes the manual and what shells complete with: for releases and
// packagers. The pages carry the month of SOURCE_DATE_EPOCH, or of now.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write man pages and shell completion into a directory",
		Long: `Write a man page of every verb into DIR/man/man1, and what bash, zsh, fish and
PowerShell complete with into DIR/completion.`,
		Example: `  trialnotary man /usr/local/share/trialnotary`,
		Hidden:  true,
		Args:    args(1, 1, "the directory"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := writeManual(c.Root(), args[0]); err != nil {
				return &fault{code: exitUsage, err: fmt.Errorf("the manual cannot be written: %w", err), do: "Name a directory that you may write in."}
			}
			return nil
		},
	}
}

func writeManual(root *cobra.Command, dir string) error {
	man, completion := filepath.Join(dir, "man", "man1"), filepath.Join(dir, "completion")
	for _, d := range []string{man, completion} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if err := doc.GenManTree(root, &doc.GenManHeader{Title: "TRIALNOTARY", Section: "1", Source: "trialnotary " + version(), Manual: "trialnotary"}, man); err != nil {
		return err
	}
	for name, write := range map[string]func(string) error{
		"trialnotary.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"_trialnotary":     root.GenZshCompletionFile,
		"trialnotary.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
		"trialnotary.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := write(filepath.Join(completion, name)); err != nil {
			return err
		}
	}
	return nil
}
