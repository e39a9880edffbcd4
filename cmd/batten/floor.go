package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// floor prints what a profile becomes under a floor.
func floor(i *invocation) error {
	r := newReading(i)
	if err := i.wants(2, 2); err != nil {
		return err
	}
	base, err := r.profile(i, i.flags.Arg(0))
	if err != nil {
		return err
	}
	own, err := r.profile(i, i.flags.Arg(1))
	if err != nil {
		return err
	}
	out, notes, err := profile.Floor(*base, *own, profile.Limits{})
	if err != nil {
		return hinted{err, "docs/floor.md says what a floor can and cannot express"}
	}
	for _, note := range notes {
		fmt.Fprintf(i.stderr, "note: %s\n", note)
	}
	if out.Unchanged {
		fmt.Fprintln(i.stderr, "note: the profile is nowhere looser than the floor; it stays as it is")
	}
	var text bytes.Buffer
	if err := json.Indent(&text, profile.Encode(out.Seccomp), "", "  "); err != nil {
		return err
	}
	fmt.Fprintf(i.stdout, "%s\n", text.String())
	return nil
}

// diff says what a second profile does otherwise than a first.
func diff(i *invocation) error {
	r := newReading(i)
	asJSON := i.flags.Bool("json", false, "print a JSON array")
	if err := i.wants(2, 2); err != nil {
		return err
	}
	a, err := r.compiled(i, i.flags.Arg(0))
	if err != nil {
		return err
	}
	b, err := r.compiled(i, i.flags.Arg(1))
	if err != nil {
		return err
	}
	changes, err := filter.Diff(a, b)
	if err != nil {
		return err
	}
	if *asJSON {
		if changes == nil {
			changes = []filter.Change{}
		}
		enc := json.NewEncoder(i.stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(changes)
	} else {
		i.tellChanges(changes)
	}
	if err == nil && len(changes) > 0 {
		return errNo
	}
	return err
}

// tellChanges prints changes in words, those of one syscall on several ABIs
// together.
func (i *invocation) tellChanges(changes []filter.Change) {
	if len(changes) == 0 {
		fmt.Fprintln(i.stdout, "equal: every call ends alike")
	}
	for _, kind := range []struct{ kind, title string }{
		{filter.Allows, "newly allowed"}, {filter.Denies, "newly denied"}, {filter.Differs, "denied or allowed as before, but otherwise"},
	} {
		var order []string
		arches := make(map[string]string)
		for _, c := range changes {
			if c.Kind != kind.kind {
				continue
			}
			line := fmt.Sprintf("%s: %s, was %s", c.Syscall, c.Witness.Second, c.Witness.First)
			if c.When != "" {
				line += ", " + c.When
			}
			if arches[line] == "" {
				order = append(order, line)
				arches[line] = c.Arch
			} else {
				arches[line] += ", " + c.Arch
			}
		}
		if len(order) > 0 {
			fmt.Fprintf(i.stdout, "%s:\n", kind.title)
		}
		for _, line := range order {
			fmt.Fprintf(i.stdout, "  %s (%s)\n", line, arches[line])
		}
	}
}

// prove says of each profile whether it is nowhere looser than the floor.
func prove(i *invocation) error {
	r := newReading(i)
	name := i.flags.String("floor", "", "`profile` that the others are held against")
	if err := i.wants(1, math.MaxInt); err != nil {
		return err
	}
	if *name == "" {
		return usageError{fmt.Errorf("--floor is missing")}
	}
	base, err := r.compiled(i, *name)
	if err != nil {
		return err
	}
	refuted := false
	for _, arg := range i.flags.Args() {
		own, err := r.compiled(i, arg)
		if err != nil {
			return err
		}
		w, err := filter.Subsumes(base, own)
		switch {
		case err != nil:
			return fmt.Errorf("profile %q: %w", arg, err)
		case w == nil:
			fmt.Fprintf(i.stdout, "%s: proved, nowhere looser than %s\n", arg, *name)
		default:
			refuted = true
			fmt.Fprintf(i.stdout, "%s: refuted: %s\n", arg, w)
		}
	}
	if refuted {
		return errNo
	}
	return nil
}

// compile says what libseccomp makes of a profile.
func compile(i *invocation) error {
	r := newReading(i)
	asm := i.flags.Bool("asm", false, "print the instructions, with names")
	if err := i.wants(1, 1); err != nil {
		return err
	}
	s, p, err := r.program(i, i.flags.Arg(0))
	if err != nil {
		return err
	}
	fmt.Fprintf(i.stdout, "%d instructions of at most %d; flags %#x\n", len(p.Instructions), filter.MaxInstructions, p.Flags)
	for _, arch := range s.Architectures {
		without := *s
		without.Architectures = slices.DeleteFunc(slices.Clone(s.Architectures), func(a specs.Arch) bool { return a == arch })
		if q, err := filter.Compile(&without); err == nil && len(q.Instructions) < len(p.Instructions) {
			fmt.Fprintf(i.stdout, "  %d for %s\n", len(p.Instructions)-len(q.Instructions), arch)
		}
	}
	if *asm {
		for _, line := range p.Disassemble() {
			fmt.Fprintln(i.stdout, line)
		}
	}
	if len(p.Instructions) > filter.MaxInstructions {
		fmt.Fprintln(i.stdout, "the kernel refuses it")
		return errNo
	}
	return nil
}
