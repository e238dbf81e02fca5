package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// completionCommand prints what a shell needs to complete verbs, flags and the
// files that fit.
func completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Let the Tab key complete verbs, flags and file names",
		Long: `Print what a shell needs so that the Tab key completes verbs, flags and the files
that fit. The last line of each example makes it last.`,
		Example: `  source <(trialnotary completion bash)
  trialnotary completion bash > ~/.local/share/bash-completion/completions/trialnotary

  trialnotary completion zsh > "${fpath[1]}/_trialnotary"
  trialnotary completion fish > ~/.config/fish/completions/trialnotary.fish

  trialnotary completion powershell | Out-String | Invoke-Expression
  trialnotary completion powershell >> $PROFILE`,
		Args:      args(1, 1, "the shell: bash, zsh, fish or powershell"),
		ValidArgs: shells,
		RunE: func(c *cobra.Command, args []string) error {
			root, out := c.Root(), c.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			return usage(c, fmt.Errorf("%q is not a shell that is known here: bash, zsh, fish or powershell", args[0]))
		},
	}
}
