package ociruntime

import (
	"fmt"
	"strings"
)

// read takes the flags in front of args, in order, and returns what follows
// them. A flag that is unknown, or that runtimes read in different ways, is an
// error: nobody could say what the rest means.
func (d dialect) read(args []string, known flags, set func(name, value string)) (rest []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			return args[1:], nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			return args, nil
		}
		name, value, given, err := d.split(arg, known)
		if err != nil {
			return nil, err
		}
		args = args[1:]
		takes, ok := known[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("flag %q is unknown to Batten, so what follows it could mean anything", arg)
		case !takes && given:
			return nil, fmt.Errorf("flag %q takes no value", arg)
		case takes && !given && len(args) == 0:
			return nil, fmt.Errorf("flag %q needs a value", arg)
		case takes && !given:
			value, args = args[0], args[1:]
		}
		set(name, value)
	}
	return nil, nil
}

// split takes one flag apart: --name, --name=value, -n, and as runc has it
// -name and -n=value, as crun has it -nvalue.
func (d dialect) split(arg string, known flags) (name, value string, given bool, err error) {
	if long, is := strings.CutPrefix(arg, "--"); is {
		name, value, given = strings.Cut(long, "=")
		if len(name) < 2 && d != goFlags {
			return "", "", false, fmt.Errorf("flag %q is read in different ways by runtimes", arg)
		}
		return name, value, given, nil
	}
	short := arg[1:]
	if len(short) == 1 {
		return short, "", false, nil
	}
	switch d {
	case goFlags:
		name, value, given = strings.Cut(short, "=")
		return name, value, given, nil
	case getopt:
		if known[short[:1]] {
			return short[:1], short[1:], true, nil
		}
	}
	return "", "", false, fmt.Errorf("flag %q is read in different ways by runtimes; write --name=value", arg)
}
