package main

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newMan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "man [flags] [PAGE]",
		Short: "print a manual page, in roff",
		Long: `batten man prints the manual page of a subcommand, or a page by its name:
batten-runc, containerd-shim-batten-v2 or batten-policy. Without an argument it
prints batten(8). With --dir it writes all pages into a directory.`,
		Example:           "  batten man explain | man -l -\n  batten man batten-policy | man -l -\n  batten man --dir /usr/local/share/man/man8",
		Args:              between(0, 1),
		ValidArgsFunction: completePages,
	}
	dir := cmd.Flags().String("dir", "", "`directory` to write all pages into, each named as man(1) finds it")
	_ = cmd.MarkFlagDirname("dir")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *dir != "" {
			return writePages(cmd.Root(), *dir)
		}
		name := cmd.Root().Name()
		if len(args) > 0 {
			name = args[0]
		}
		text, err := page(cmd.Root(), name)
		if err == nil {
			_, err = cmd.OutOrStdout().Write(text)
		}
		return err
	}
	return cmd
}

// page returns a page by its name, or by that of a subcommand.
func page(root *cobra.Command, name string) ([]byte, error) {
	if section := fixedPages[name]; section != "" {
		return fixedPage(name, section)
	}
	about := root
	if name != root.Name() {
		var err error
		if about, err = subcommand(root, name); err != nil {
			return nil, unknownPage(name)
		}
	}
	var out bytes.Buffer
	err := commandPage(&out, about)
	return out.Bytes(), err
}

// writePages writes all pages into a directory.
func writePages(root *cobra.Command, dir string) error {
	files := map[string]string{root.Name(): "batten.8"}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			files[c.Name()] = "batten-" + c.Name() + ".8"
		}
	}
	for name, section := range fixedPages {
		files[name] = name + "." + section
	}
	for name, file := range files {
		text, err := page(root, name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), text, 0o644)
		}
		if err != nil {
			return hinted{err, "--dir names a directory that exists"}
		}
	}
	return nil
}
