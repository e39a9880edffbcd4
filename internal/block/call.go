package block

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/policy/decode"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Call is what is to be blocked: system calls, or some of their arguments.
type Call struct {
	// Text is what was asked for: socket(AF_ALG).
	Text string
	// Names are the calls; several where Text has a glob.
	Names []string
	// Args are conditions that must all hold; without one the whole call is blocked.
	Args []specs.LinuxSeccompArg
	// Together are flags that were joined by |: calls that have all of them are blocked.
	Together []string
}

// maxArgs is how many arguments a system call has.
const maxArgs = 6

// anyValue stands for an argument that may have any value.
const anyValue = "*"

// Parse reads a call as batten block takes it: bpf, io_uring_*, socket(AF_ALG),
// clone(CLONE_NEWUSER), ioctl(*, 0x5412). An argument is *, a number, or words that the call's
// manual page has. A flag is blocked with whatever other flags; flags that are joined by | are
// blocked where all of them are set. A number and a word that is no flag stand for the whole
// argument, as wide as the kernel reads it.
func Parse(text string) (c Call, err error) {
	c.Text = strings.Join(strings.Fields(text), " ")
	name, rest, conditional := strings.Cut(c.Text, "(")
	name = strings.TrimSpace(name)
	if c.Names, err = named(name); err != nil {
		return c, err
	}
	if !conditional {
		return c, nil
	}
	inside, after, closed := strings.Cut(rest, ")")
	if !closed || strings.TrimSpace(after) != "" {
		return c, fmt.Errorf("%q does not end with its ): write it as in 'socket(AF_ALG)'", c.Text)
	}
	if len(c.Names) > 1 || strings.Contains(name, "*") {
		return c, fmt.Errorf("%q has arguments for several calls: write each by itself", c.Text)
	}
	if strings.TrimSpace(inside) == "" {
		return c, fmt.Errorf("%q has no arguments: leave the () out to block the whole call", c.Text)
	}
	args := strings.Split(inside, ",")
	if len(args) > maxArgs {
		return c, fmt.Errorf("%q has %d arguments, and a call has %d at most", c.Text, len(args), maxArgs)
	}
	for i, arg := range args {
		arg = strings.TrimSpace(arg)
		if arg == anyValue {
			continue
		}
		a, err := condition(c.Names[0], i, arg)
		if err != nil {
			return c, fmt.Errorf("%q: %w", c.Text, err)
		}
		if strings.Contains(arg, "|") {
			c.Together = append(c.Together, arg)
		}
		c.Args = append(c.Args, a)
	}
	return c, nil
}

// named returns the calls of a name or a glob.
func named(glob string) (out []string, err error) {
	if syscalls.IsSyscall(glob) {
		return []string{glob}, nil
	}
	var all []string
	for _, call := range syscalls.Table {
		all = append(all, call.Name)
		if ok, err := path.Match(glob, call.Name); ok && err == nil && strings.Trim(glob, "*?[]") != "" {
			out = append(out, call.Name)
		}
	}
	if len(out) == 0 && strings.ContainsAny(glob, "*?[") {
		return nil, fmt.Errorf("no system call is known that %q stands for; a pattern has a letter at least", glob)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no system call is known as %q%s", glob, document.Suggest(glob, all))
	}
	return out, nil
}

// condition returns the condition that argument i of a call is what text says.
func condition(name string, i int, text string) (specs.LinuxSeccompArg, error) {
	masked := specs.LinuxSeccompArg{Index: uint(i), Op: specs.OpMaskedEqual}
	if n, err := strconv.ParseUint(text, 0, 64); err == nil {
		if words := decode.Flags(name, i); len(words) > 0 {
			return masked, fmt.Errorf("argument %d of %s has flags, and with another flag beside %s the call would pass: write it in words, such as %s", i, name, text, words[len(words)-1])
		}
		if read := decode.Argument(specs.ArchX86_64, name, i, n); read != n {
			return masked, fmt.Errorf("the kernel reads fewer bits of argument %d than %s has", i, text)
		}
		return whole(name, i, n), nil
	}
	if strings.HasPrefix(text, "-") {
		return masked, fmt.Errorf("%s is written as the kernel reads it: as 0x and its bits", text)
	}
	for word := range strings.SplitSeq(text, "|") {
		word = strings.TrimSpace(word)
		v, ok := decode.Word(name, i, word)
		switch {
		case !ok && len(decode.Words(name, i)) == 0:
			return masked, fmt.Errorf("no words are known for argument %d of %s: write it as a number, or * for any", i, name)
		case !ok:
			return masked, fmt.Errorf("%q is no word for argument %d of %s%s; write it as a number, or * for any", word, i, name, document.Suggest(word, decode.Words(name, i)))
		case v.Exact && word != text:
			return masked, fmt.Errorf("%q is no flag, so nothing can be joined to it: write a CALL for each", word)
		case v.Exact:
			return whole(name, i, v.Bits), nil
		case decode.Argument(specs.ArchX86_64, name, i, v.Mask) != v.Mask:
			return masked, fmt.Errorf("the kernel reads fewer bits of argument %d of %s than %s is", i, name, word)
		case v.Clashes(masked.Value):
			return masked, fmt.Errorf("%q stands in the same bits as another word of %q, so nothing has both: write a CALL for each", word, text)
		}
		masked.Value, masked.ValueTwo = masked.Value|v.Mask, masked.ValueTwo|v.Bits
	}
	return masked, nil
}

// whole returns the condition that an argument is n. It looks at those bits alone that the kernel
// reads: a program can set the others as it likes.
func whole(name string, i int, n uint64) specs.LinuxSeccompArg {
	mask := decode.Argument(specs.ArchX86_64, name, i, ^uint64(0))
	if name == "ipc" && i == 0 && n <= syscalls.IPCCalls { // of any version
		mask = syscalls.IPCCalls
	}
	if mask == ^uint64(0) {
		return specs.LinuxSeccompArg{Index: uint(i), Op: specs.OpEqualTo, Value: n}
	}
	return specs.LinuxSeccompArg{Index: uint(i), Op: specs.OpMaskedEqual, Value: mask, ValueTwo: n}
}

// ByPointer reports whether 32-bit programs make the call through socketcall or ipc, too, where no
// filter sees its arguments.
func (c Call) ByPointer() bool {
	_, multiplexed := syscalls.Multiplexed[c.Names[0]]
	return multiplexed && len(c.Args) > 0
}

// namespaceCalls make namespaces by the same flags. Those of clone3 are in memory, where no filter
// sees them.
var namespaceCalls = []string{"clone", "unshare", "clone3"}

// namespaceFlags are the flags of clone(2) that make a namespace.
const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWTIME

// Beside returns calls by which programs do the same, and which are not among the blocked.
func Beside(calls []Call) (out []string) {
	var blocked []string
	for _, c := range calls {
		blocked = append(blocked, c.Names...)
	}
	add := func(others []string) {
		for _, other := range others {
			if !slices.Contains(blocked, other) && !slices.Contains(out, other) {
				out = append(out, other)
			}
		}
	}
	for _, c := range calls {
		for _, name := range c.Names {
			add(alike(name))
			if slices.Contains(byRing, name) {
				add([]string{"io_uring_setup"})
			}
			add(syscalls.Siblings(name, syscalls.OnX8664|syscalls.OnX86|syscalls.OnAarch64|syscalls.OnARM))
		}
		if slices.Contains(namespaceCalls, c.Names[0]) && len(c.Args) == 1 && c.Args[0].Index == 0 && c.Args[0].ValueTwo&namespaceFlags != 0 {
			add(namespaceCalls)
		}
	}
	return append(out, twins(calls)...)
}
