package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/version"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/runc"
	"github.com/spf13/cobra"
)

// newRoot returns the command tree, with the subcommands in the order of the help.
func newRoot() *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:   "batten COMMAND [flags] [arguments]",
		Short: "hold every container on a node to one seccomp policy",
		Long: `batten checks the node's seccomp policy, says what it decides and why, puts
Batten into the configuration of containerd, Docker and Podman, and proves what
the kernel holds running containers to.`,
		Example:     "  batten check\n  batten install --containerd --default --dry-run\n  batten status\n  batten explain pod.yaml",
		Annotations: map[string]string{files: policy.DefaultPath + "\n" + names.Records + "\n" + runc.DefaultConfig},

		SilenceErrors:              true,
		SilenceUsage:               true,
		DisableAutoGenTag:          true,
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:                       cobra.ArbitraryArgs, // so that RunE says which are unknown
		ValidArgsFunction:          cobra.NoFileCompletions,
		RunE:                       runRoot,
	}
	root.Flags().SetInterspersed(false) // what stands behind an unknown command is not looked at
	root.Flags().Bool("version", false, "print Batten's version")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(printHelp)
	root.SetHelpCommand(newHelp())
	root.AddCommand(
		newCheck(), newExplain(), newLint(), newFloor(), newMerge(), newMinimize(), newDiff(), newProve(), newCompile(),
		newVerify(), newRecords(), newDenials(), newSuggest(), newRecord(), newReplay(), newStatus(), newBlock(), newUnblock(),
		newInstall(), newUninstall(), newDaemonSet(),
		newSchema(), newCompletion(), newMan(), newVersion(),
	)
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().SortFlags = false
		cmd.Flags().BoolP("help", "h", false, "say how it is used")
	}
	return root
}

// runRoot is batten without a subcommand.
func runRoot(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	if asked, _ := cmd.Flags().GetBool("version"); asked {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "batten", version.Version)
		return err
	}
	printHelp(cmd, nil)
	return errNoCommand
}

// run is the whole program. Only main ends the process.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(slices.Concat([]string{}, args)) // nil would be os.Args
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		unquoteUsages(root)
	}
	cmd, err := root.ExecuteC()
	return report(cmd, err)
}

// report turns a command's error into words and an exit status.
func report(cmd *cobra.Command, err error) int {
	var usage usageError
	var advice hinted
	var machine refused
	stderr := cmd.ErrOrStderr()
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errNo):
		return exitNo
	case errors.Is(err, errNoCommand):
		return exitUsage
	case errors.As(err, &usage) && cmd.HasParent():
		fmt.Fprintf(stderr, "batten: %s: %v\nhint: batten %s -h says how it is used\n", cmd.Name(), usage.error, cmd.Name())
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "batten: %v\nhint: batten help lists the commands\n", usage.error)
		return exitUsage
	case errors.As(err, &machine):
		fmt.Fprintf(stderr, "batten: %v\nhint: %s\n", machine.error, machine.hint)
		return exitInternal
	case errors.As(err, &advice):
		fmt.Fprintf(stderr, "batten: %v\nhint: %s\n", advice.error, advice.hint)
		return exitNo
	}
	fmt.Fprintf(stderr, "batten: %v\n", err)
	return exitInternal
}
