package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/profile/reader"
	"github.com/spf13/cobra"
)

// engineFlag is the flag --engine: which engine reads the profiles.
type engineFlag struct{ name string }

// newEngineFlag gives a command the flag.
func newEngineFlag(cmd *cobra.Command, otherwise reader.Engine, what string) *engineFlag {
	e := &engineFlag{}
	words := reader.Engines()
	cmd.Flags().StringVar(&e.name, "engine", string(otherwise), "`engine` that reads "+what+": "+strings.Join(words[:len(words)-1], ", ")+" or "+words[len(words)-1])
	completeFlag(cmd, "engine", completeWords(words...))
	return e
}

// engine returns the engine that was asked for.
func (e *engineFlag) engine() (reader.Engine, error) {
	if !slices.Contains(reader.Engines(), e.name) {
		return "", usageError{fmt.Errorf("--engine %q is none of %s", e.name, strings.Join(reader.Engines(), ", "))}
	}
	return reader.Engine(e.name), nil
}
