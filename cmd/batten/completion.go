package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCompletion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion [flags] bash|zsh|fish|powershell",
		Short: "print what a shell completes batten's command line by",
		Long: `batten completion prints a script for a shell. It completes commands and flags,
and asks batten for names on this node: containers and pods from the records,
rules and profiles from the policy. The script for bash needs bash-completion.`,
		Example: `  source <(batten completion bash)
  batten completion zsh > /usr/local/share/zsh/site-functions/_batten
  batten completion fish > ~/.config/fish/completions/batten.fish
  batten completion powershell | Out-String | Invoke-Expression`,
		Args:      between(1, 1),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, w := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(w, true)
			case "zsh":
				return root.GenZshCompletion(w)
			case "fish":
				return root.GenFishCompletion(w, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(w)
			}
			return usageError{fmt.Errorf("no completion for %q; there is bash, zsh, fish and powershell", args[0])}
		},
	}
}
