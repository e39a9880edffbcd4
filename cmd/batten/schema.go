package main

import (
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/deploy/schema"
	"github.com/spf13/cobra"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [flags] " + strings.Join(schema.Names, "|"),
		Short: "print the JSON Schema of a policy, a drop-in, a profile, a record or a line of the log",
		Long: `batten schema prints the JSON Schema (draft 2020-12) of a file, or of what
batten lint --json prints: by it editors
complete and check policies and profiles, and log pipelines know the fields of
records and of lines of the policy's log. An editor with the YAML language server
reads the schema that the first line of the policy names:

  # yaml-language-server: $schema=./policy.schema.json`,
		Example:   "  batten schema policy > policy.schema.json\n  batten schema log > log.schema.json",
		Args:      between(1, 1),
		ValidArgs: schema.Names,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := schema.Text(args[0])
			if err != nil {
				return usageError{fmt.Errorf("%w, want %s", err, strings.Join(schema.Names, ", "))}
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
