package recording

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/semantics/region"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// maxRules is how many rules one call gets. If more would be needed, it is allowed whatever its
// arguments.
const maxRules = 64

// arguments makes rules for the calls of which arguments were recorded.
func (m *making) arguments() {
	m.clone()
	for _, name := range slices.Sorted(maps.Keys(m.calls)) {
		c := m.calls[name]
		switch {
		case name == "clone" || name == "clone3" || !m.plain[name]:
		case len(c.recorded()) == 0:
			if slices.Contains(decide, name) {
				m.note("the arguments of %s were not recorded: it is allowed whatever they are", name)
			}
		case m.made.By[name].Why != "":
			m.note("%s is allowed whatever its arguments, since %s", name, m.made.By[name].Why)
		case c.size() > maxRules:
			m.note("%s was made with more than %d values: it is allowed whatever its arguments", name, maxRules)
		default:
			m.values(c)
		}
	}
	m.behind()
}

// size is how many rules there would be for the values of a call.
func (c *made) size() int {
	n := 1
	for _, index := range c.recorded() {
		forms := 0
		for value := range c.values[index] {
			forms += len(formsOf(c.name, index, value))
		}
		n = min(n*forms, maxRules+1)
	}
	return n
}

// formsOf returns what registers may hold of a value. Of an argument of which the kernel reads 32
// bits, a recording has these, and programs pass a negative one with zeros above it or with copies of
// its sign: musl does so with the request of ioctl. personality has no negative ones.
func formsOf(name string, index uint, value uint64) []uint64 {
	const sign = 1 << 31
	if name == "personality" || region.WidthOf(name, index).Bits != 32 || value > math.MaxUint32 || value&sign == 0 {
		return []uint64{value}
	}
	return []uint64{value, value | math.MaxUint32<<32}
}

// values makes a rule for each value of an argument; of several arguments, for each combination,
// since a recording has the values of each by itself.
func (m *making) values(c *made) {
	rules := [][]specs.LinuxSeccompArg{nil}
	indexes := c.recorded()
	for _, index := range indexes {
		var next [][]specs.LinuxSeccompArg
		for _, before := range rules {
			for _, value := range slices.Sorted(maps.Keys(c.values[index])) {
				for _, form := range formsOf(c.name, index, value) {
					next = append(next, append(slices.Clip(before), specs.LinuxSeccompArg{Index: index, Value: form, Op: specs.OpEqualTo}))
				}
			}
		}
		rules = next
	}
	delete(m.plain, c.name)
	by := m.made.By[c.name]
	for _, index := range indexes {
		for _, value := range slices.Sorted(maps.Keys(c.values[index])) {
			by.Arguments = append(by.Arguments, ByValue{index, value, c.values[index][value].program})
		}
	}
	m.made.By[c.name] = by
	for _, args := range rules {
		m.rules = append(m.rules, specs.LinuxSyscall{Names: []string{c.name}, Action: specs.ActAllow, Args: args})
	}
	if len(indexes) > 1 {
		m.note("%s is allowed with every combination of the values of its arguments %s, since these were recorded each by itself", c.name, strings.Trim(fmt.Sprint(indexes), "[]"))
	}
}

// namespaces are the flags with which clone makes namespaces. CLONE_NEWTIME is not among them:
// clone takes it for a part of the signal's number.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// clone makes the rule on clone: it may make the namespaces that it was seen to make. clone3 has
// its flags in memory, where no filter sees them, so it fails with ENOSYS, and the C library takes
// clone.
func (m *making) clone() {
	var flags uint64
	for _, name := range []string{"clone", "clone3"} {
		c := m.calls[name]
		if c == nil {
			continue
		}
		if c.with[0] < c.times {
			m.note("the flags of %s were not recorded: clone is not allowed to make namespaces for it", name)
		}
		for value := range c.values[0] {
			flags |= value
		}
	}
	if c := m.calls["clone3"]; c != nil {
		m.note("clone3 was recorded and fails with ENOSYS under the profile, since no filter sees its flags: the C library then takes clone, and other programs may not")
		if flags&unix.CLONE_NEWTIME != 0 && c.has(unix.CLONE_NEWTIME) {
			m.note("clone3 made a time namespace, which clone cannot: the profile does not allow it")
		}
	}
	if !m.options.Runtime.Knows("clone") {
		return
	}
	if m.calls["clone"] == nil { // runc may make a thread once the filter is in place
		m.made.By["clone"] = By{Of: m.containers, Why: forRuntime}
		if c := m.calls["clone3"]; c != nil {
			m.made.By["clone"] = By{Program: c.first.program, Containers: len(c.containers), Of: m.containers, Why: forClone3}
		}
	}
	closed := namespaces &^ flags
	if closed == 0 {
		m.plain["clone"] = true
		return
	}
	delete(m.plain, "clone")
	m.rules = append(m.rules, specs.LinuxSyscall{
		Names: []string{"clone"}, Action: specs.ActAllow,
		Args: []specs.LinuxSeccompArg{{Index: 0, Value: closed, ValueTwo: 0, Op: specs.OpMaskedEqual}},
	})
}

// has reports whether a value of the first argument has a bit.
func (c *made) has(bit uint64) bool {
	for value := range c.values[0] {
		if value&bit != 0 {
			return true
		}
	}
	return false
}

// behind notes the calls whose arguments 32-bit programs can choose all the same.
func (m *making) behind() {
	if !slices.Contains(m.arches, specs.ArchX86) {
		return
	}
	var open []string
	for _, rule := range m.rules {
		name := rule.Names[0]
		if _, multiplexed := syscalls.Multiplexed[name]; multiplexed && !slices.Contains(open, name) {
			open = append(open, name)
		}
	}
	if len(open) > 0 {
		m.note("32-bit programs can make %s through socketcall or ipc whatever the arguments, which no filter sees there", semantics.Some(open))
	}
}

// fallBack lists the calls that fail with ENOSYS: libraries then take another.
func (m *making) fallBack() {
	allowed := make(map[string]bool)
	for name := range m.made.By {
		allowed[name] = true
	}
	for _, e := range syscalls.Table {
		if slices.Contains(semantics.NoCalls, e.Name) || allowed[e.Name] || !m.options.Runtime.Knows(e.Name) {
			continue
		}
		if _, falls := syscalls.Fallbacks[e.Name]; falls || syscalls.Recent(e.Name) {
			m.enosys = append(m.enosys, e.Name)
		}
	}
	slices.Sort(m.enosys)
}
