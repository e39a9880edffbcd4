package runc

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Call is what the arguments of an OCI runtime ask for.
type Call struct {
	// Globals are the arguments before the subcommand.
	Globals []string
	// Command is the subcommand; empty if there is none.
	Command string
	// Root, Log and LogFormat are the global flags of these names.
	Root, Log, LogFormat string

	// Bundle is the bundle's directory as the arguments name it, empty for the working
	// directory. PidFile is the file into which the runtime writes the process's number.
	// ID is the container's id. They are set for the subcommands that make a container,
	// and ID for start and delete, too.
	Bundle, PidFile, ID string
	// Detach is set if the subcommand returns as soon as the container has started.
	Detach bool
}

// Makes reports whether the call makes a container. Without an id no runtime
// makes one.
func (c *Call) Makes() bool { return makes(c.Command) && c.ID != "" }

func makes(command string) bool {
	return command == "create" || command == "run" || command == "restore"
}

// dialect is how a runtime reads its flags.
type dialect int

const (
	// either accepts only what all runtimes read alike.
	either dialect = iota
	// goFlags is runc's: package flag, and urfave/cli v1, which takes flags
	// after the container's id as well.
	goFlags
	// getopt is crun's: getopt_long(3) by argp, up to the first argument that
	// is no flag.
	getopt
)

// dialectOf returns the dialect of the runtime at path, by the name of the file.
func dialectOf(path string) dialect {
	switch name := filepath.Base(path); {
	case strings.HasPrefix(name, "runc"):
		return goFlags
	case strings.HasPrefix(name, "crun"):
		return getopt
	}
	return either
}

// flags maps the names of flags to whether they take a value.
type flags map[string]bool

// globalFlags are those of runc and crun before the subcommand.
var globalFlags = flags{
	"debug": false, "log": true, "log-format": true, "log-level": true, "root": true,
	"rootless": true, "systemd-cgroup": false, "criu": true, "cgroup-manager": true,
	"help": false, "h": false, "version": false, "v": false,
}

// makingFlags are those of create, run and restore of both runtimes.
var makingFlags = flags{
	"bundle": true, "b": true, "pid-file": true, "console-socket": true, "pidfd-socket": true,
	"no-pivot": false, "no-new-keyring": false, "preserve-fds": true, "no-mount-fallback": false,
	"detach": false, "d": false, "keep": false, "no-subreaper": false,
	"image-path": true, "work-path": true, "parent-path": true, "tcp-established": false, "ext-unix-sk": false,
	"shell-job": false, "file-locks": false, "manage-cgroups-mode": true, "empty-ns": true,
	"auto-dedup": false, "lazy-pages": false, "lsm-profile": true, "lsm-mount-context": true,
	"help": false, "h": false,
}

// otherFlags are those of start and delete.
var otherFlags = flags{"force": false, "f": false, "regex": false, "help": false, "h": false}

// Parse reads the arguments, without the program's name, as the runtime at a path does. It is
// an error if it is not certain which container the runtime would make, from which bundle.
func Parse(args []string, runtime string) (*Call, error) { return parse(args, dialectOf(runtime)) }

func parse(args []string, d dialect) (*Call, error) {
	c := &Call{}
	if !slices.ContainsFunc(args, makes) {
		c.glance(args, d)
		return c, nil
	}
	rest, err := d.read(args, globalFlags, func(name, value string) { c.global(name, value) })
	if err != nil {
		return nil, err
	}
	c.Globals = args[:len(args)-len(rest)]
	if len(rest) == 0 {
		return c, nil
	}
	c.Command = rest[0]
	if !makes(c.Command) {
		c.target(rest[1:], d)
		return c, nil
	}
	return c, c.making(rest[1:], d)
}

// glance reads the arguments of a call that makes no container, as far as it knows them.
func (c *Call) glance(args []string, d dialect) {
	rest, err := d.read(args, globalFlags, c.global)
	if err != nil || len(rest) == 0 {
		return
	}
	c.Globals, c.Command = args[:len(args)-len(rest)], rest[0]
	c.target(rest[1:], d)
}

// target reads the container's id of start and delete.
func (c *Call) target(args []string, d dialect) {
	if c.Command != "start" && c.Command != "delete" {
		return
	}
	var names []string
	for len(args) > 0 {
		rest, err := d.read(args, otherFlags, func(string, string) {})
		if err != nil || len(rest) == 0 {
			break
		}
		names, args = append(names, rest[0]), rest[1:]
	}
	if len(names) == 1 {
		c.ID = names[0]
	}
}

func (c *Call) global(name, value string) {
	switch name {
	case "root":
		c.Root = value
	case "log":
		c.Log = value
	case "log-format":
		c.LogFormat = value
	}
}

// making reads what follows a subcommand that makes a container.
func (c *Call) making(args []string, d dialect) error {
	set := func(name, value string) {
		switch name {
		case "bundle", "b":
			c.Bundle = value
		case "pid-file":
			c.PidFile = value
		case "detach", "d":
			c.Detach, _ = strconv.ParseBool(value)
		}
	}
	rest, err := d.read(args, makingFlags, set)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Command, err)
	}
	if len(rest) == 0 {
		// runc moves what follows -- behind all flags, and flags that the subcommand does
		// not have, too (reorderArgs in urfave/cli v1). Such a flag is then the id.
		if d == goFlags && slices.Contains(args, "--") {
			return fmt.Errorf("%s: no container's id beside --: runc may take a flag for it", c.Command)
		}
		return nil
	}
	c.ID = rest[0]
	if rest = rest[1:]; len(rest) == 0 {
		return nil
	}
	if d != goFlags || slices.Contains(args, "--") {
		return fmt.Errorf("%s: arguments after the container's id: %q", c.Command, rest)
	}
	if rest, err = d.read(rest, makingFlags, set); err != nil || len(rest) > 0 {
		return fmt.Errorf("%s: arguments after the container's id: %q (%v)", c.Command, rest, err)
	}
	return nil
}
