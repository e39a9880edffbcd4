package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// validateConditions reports includes and excludes that can never apply.
func (r rule) validateConditions(at document.Node) {
	never := func(format string, args ...any) {
		at.As("never-applies").Warnf(format, args...)
	}
	for _, c := range []struct {
		key, so string
		conditions
	}{
		{"includes", "the rule never counts", r.includes},
		{"excludes", "it excludes nothing", r.excludes},
	} {
		for _, name := range c.caps {
			if !slices.Contains(Capabilities, name) {
				never("%s has %q, which is no capability: %s%s", c.key, name, c.so, document.Suggest("CAP_"+strings.TrimPrefix(strings.ToUpper(name), "CAP_"), Capabilities))
			}
		}
		if len(c.arches) > 0 && !slices.ContainsFunc(c.arches, isGOARCH) {
			never("%s has the arches %q, none of which is a name that engines know: %s; write amd64, arm64 or another name of Go's", c.key, c.arches, c.so)
		}
	}
	for _, name := range r.includes.caps {
		if slices.Contains(r.excludes.caps, name) {
			never("includes and excludes both have %s: the rule never counts", name)
		}
	}
	for _, name := range r.includes.arches {
		if slices.Contains(r.excludes.arches, name) && len(r.includes.arches) == 1 {
			never("includes and excludes both have %s: the rule never counts", name)
		}
	}
	if ex := r.excludes.minKernel; ex != (kernel{}) && !r.includes.minKernel.less(ex) {
		never("excludes kernels from %s on, and includes only those from %s on: the rule never counts", ex, r.includes.minKernel)
	}
}

func (k kernel) String() string { return fmt.Sprintf("%d.%d", k.major, k.minor) }

// isGOARCH reports whether a word is a machine by Go's name.
func isGOARCH(word string) bool {
	_, native := syscalls.Native[word]
	return native || slices.Contains([]string{
		"386", "x86", "amd64", "arm", "arm64", "loong64", "loongarch64", "mips", "mips64", "mips64n32", "mipsle", "mipsel",
		"mips64le", "mipsel64", "mips3l64n32", "ppc", "ppc64", "ppc64le", "riscv64", "s390", "s390x",
	}, word)
}

// validateArgs reports what a rule's conditions do not do.
func (r rule) validateArgs(at document.Node) {
	if index, n := mostConditions(r.Args); n > 1 {
		at.As("either-condition").Warnf("has %d conditions on argument %d, so runc and crun make each of its %d conditions a rule of its own: any one of them is enough, those on other arguments too", n, index, len(r.Args))
	}
	for _, arg := range r.Args {
		switch {
		case arg.Op == specs.OpMaskedEqual && arg.Value == 0:
			at.As("mask-zero").Warnf("the condition on argument %d has a mask of 0, so it holds for every value; value is the mask, valueTwo what it must leave", arg.Index)
		case arg.Op == specs.OpMaskedEqual && arg.ValueTwo&^arg.Value != 0:
			at.As("outside-mask").Warnf("the condition on argument %d wants bits outside its mask; libseccomp ignores them", arg.Index)
		case neverMatches(arg):
			at.As("never-matches").Warnf("the condition on argument %d can never match; the rule does nothing", arg.Index)
		}
	}
}

// mostConditions returns the argument that has the most conditions, and how many.
func mostConditions(args []specs.LinuxSeccompArg) (index uint, n int) {
	count := make(map[uint]int)
	for _, arg := range args {
		if count[arg.Index]++; count[arg.Index] > n {
			index, n = arg.Index, count[arg.Index]
		}
	}
	return index, n
}
