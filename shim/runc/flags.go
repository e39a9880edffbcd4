package runc

import (
	"fmt"
	"strconv"
	"strings"
)

// read reads the flags at the beginning of args, in order, and returns the arguments after
// them. It calls set with the value of each flag; for a flag without a value that is "true",
// or what package flag reads as a truth value. A flag that is unknown, or that runtimes read
// in different ways, is an error: the meaning of the other arguments would be unknown.
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
		case !takes && given && (d != goFlags || !isBool(value)):
			return nil, fmt.Errorf("flag %q takes no value", arg)
		case takes && !given && len(args) == 0:
			return nil, fmt.Errorf("flag %q needs a value", arg)
		case takes && !given:
			value, args = args[0], args[1:]
		}
		if !takes && !given {
			value = "true"
		}
		set(name, value)
	}
	return nil, nil
}

// isBool reports whether package flag accepts value for a flag without a value, as in
// --debug=false. getopt_long(3) accepts none.
func isBool(value string) bool {
	_, err := strconv.ParseBool(value)
	return err == nil
}

// split splits one flag into name and value: --name, --name=value and -n; for runc also -name
// and -n=value, for crun also -nvalue.
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
