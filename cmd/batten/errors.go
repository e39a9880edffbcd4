package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit statuses.
const (
	exitFine     = 0
	exitNo       = 1 // the input is wrong, or the answer is no
	exitUsage    = 2
	exitInternal = 3
)

// usageError is a call that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errNo ends with exitNo; what there is to say has been said.
var errNo = errors.New("the answer is no")

// errNoCommand ends with exitUsage; the help has been printed.
var errNoCommand = errors.New("no command")

// hinted is an error with advice on a line of its own.
type hinted struct {
	error
	hint string
}

// between returns a check that a command has at least least and at most most arguments.
func between(least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) > most:
			return usageError{fmt.Errorf("unexpected argument %q", args[most])}
		case len(args) < least:
			return usageError{errors.New("an argument is missing")}
		}
		return nil
	}
}

// unknownCommand returns the error for a word that is no subcommand of root.
func unknownCommand(root *cobra.Command, word string) error {
	text := fmt.Sprintf("unknown command %q", word)
	if similar := root.SuggestionsFor(word); len(similar) > 0 {
		text += fmt.Sprintf("; did you mean %q?", similar[0])
	}
	return usageError{errors.New(text)}
}

// flagError returns what pflag says of a flag, in batten's words.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var wrong *pflag.InvalidValueError
	switch {
	case errors.As(err, &missing):
		return usageError{fmt.Errorf("--%s needs a value", missing.GetFlag().Name)}
	case errors.As(err, &wrong): // all others are text
		return usageError{fmt.Errorf("--%s is true or false, not %q", wrong.GetFlag().Name, wrong.GetValue())}
	case !errors.As(err, &unknown):
		return usageError{err}
	}
	if letters := unknown.GetSpecifiedShortnames(); letters != "" {
		return usageError{errors.New(oneDash(cmd.Flags(), letters))}
	}
	name := unknown.GetSpecifiedName()
	var flags []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, "--"+f.Name) })
	return usageError{fmt.Errorf("unknown flag --%s%s", name, document.Suggest("--"+name, flags))}
}

// oneDash returns what is wrong with letters after one dash. Of a name that begins with h,
// pflag has taken that letter for the help already.
func oneDash(flags *pflag.FlagSet, letters string) string {
	letters, _, _ = strings.Cut(letters, "=")
	for _, name := range []string{letters, "h" + letters} {
		if flags.Lookup(name) != nil {
			return fmt.Sprintf("unknown flag -%s; did you mean --%s, with two dashes?", name, name)
		}
	}
	return "unknown flag -" + letters
}
