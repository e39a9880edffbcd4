package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// newHelp returns batten help, which answers for each subcommand as its -h does.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "say how a command is used",
		Args:  between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			if len(args) == 0 {
				printHelp(root, nil)
				return nil
			}
			about, err := subcommand(root, args[0])
			if err == nil {
				printHelp(about, nil)
			}
			return err
		},
		ValidArgsFunction: completeCommands,
	}
}

// subcommand returns the subcommand of root that has a name.
func subcommand(root *cobra.Command, name string) (*cobra.Command, error) {
	for _, c := range root.Commands() {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, unknownCommand(root, name)
}

const helpWidth = 90

func printHelp(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	if !cmd.HasParent() {
		printCommands(w, cmd)
		return
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(w, "usage: %s\n\n%s\n", cmd.UseLine(), text)
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nexamples:\n%s\n", cmd.Example)
	}
	fmt.Fprintf(w, "\nflags:\n%s", cmd.Flags().FlagUsagesWrapped(helpWidth))
	fmt.Fprintln(w, "\nexit status:")
	for _, s := range exitStatuses(cmd) {
		fmt.Fprintf(w, "  %s  %s\n", s.term, s.text)
	}
}

// printCommands prints what there is.
func printCommands(w io.Writer, root *cobra.Command) {
	fmt.Fprintf(w, "batten: %s\n\nusage: batten COMMAND [flags] [arguments]\n\n", root.Short)
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			fmt.Fprintf(w, "  %-11s %s\n", c.Name(), c.Short)
		}
	}
	fmt.Fprint(w, "\nbatten help COMMAND says more, batten --version which release this is.\n"+
		"exit status: 0 fine, 1 the input is wrong or the answer is no, 2 wrong usage,\n3 internal error, or the machine does not let Batten work, such as without root\n")
}
