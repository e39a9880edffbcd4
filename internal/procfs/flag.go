package procfs

import (
	"slices"
	"strings"
)

// Flag returns the value of the last flag of a command line that has one of names, or
// otherwise: --name value, or --name=value. args are those of [Process.Args].
func Flag(args []string, otherwise string, names ...string) string {
	for i := 1; i < len(args); i++ {
		name, value, ok := strings.Cut(args[i], "=")
		switch {
		case !slices.Contains(names, name):
		case ok:
			otherwise = value
		case i+1 < len(args):
			i++
			otherwise = args[i]
		}
	}
	return otherwise
}
