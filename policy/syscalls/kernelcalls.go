package syscalls

import (
	"bufio"
	"io"
	"slices"
	"strings"
)

// Calls are the system calls that the running kernel has. The zero value means unknown:
// the kernel then counts as having every call.
type Calls struct {
	// Probed is set if the other fields are known.
	Probed bool `json:"probed"`
	// Lacks are the names of Batten's table that the kernel has no entry for.
	Lacks []string `json:"lacks,omitempty"`
	// Others are entries of the kernel that are not in Batten's table.
	Others []string `json:"others,omitempty"`
}

// sameName is the number from which on the kernel's entry for a call has the name of the
// call (arch/x86/entry/syscalls/syscall_64.tbl and its like). Entries of older calls may have
// another name, so the kernel counts as having these calls.
const sameName = 424

// entries begin the names of a kernel's entries for system calls
// (arch/*/include/asm/syscall_wrapper.h).
var entries = []string{"__x64_sys_", "__ia32_sys_", "__arm64_sys_", "__riscv_sys_", "__s390x_sys_", "sys_"}

// ReadCalls reads the kernel's calls from its symbols (/proc/kallsyms). It may report a call
// that the kernel was built without: such a call can have an entry that always fails.
func ReadCalls(kallsyms io.Reader) (Calls, error) {
	found := make(map[string]bool)
	lines := bufio.NewScanner(kallsyms)
	for lines.Scan() {
		line := lines.Text()
		if !strings.Contains(line, "sys_") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue // a module's
		}
		for _, prefix := range entries {
			if name, ok := strings.CutPrefix(fields[2], prefix); ok {
				found[name] = true
			}
		}
	}
	if err := lines.Err(); err != nil || !found["openat"] || !found["clone3"] {
		return Calls{}, err // no symbols, or a kernel with other names for them
	}
	c := Calls{Probed: true}
	for name := range found {
		if _, ours := Arches(name); !ours {
			c.Others = append(c.Others, name)
		}
	}
	slices.Sort(c.Others)
	for _, e := range Table {
		if e.recentOnAll() && !found[e.Name] {
			c.Lacks = append(c.Lacks, e.Name)
		}
	}
	return c, nil
}

// recentOnAll reports whether every number of the call is from sameName on.
func (s Entry) recentOnAll() bool {
	for i, nr := range s.nr {
		if s.on&(1<<i) != 0 && nr < sameName {
			return false
		}
	}
	return true
}

// Has reports whether the kernel may carry out the call, as far as that is known.
func (c Calls) Has(name string) bool {
	if !c.Probed {
		return true
	}
	if _, ours := Arches(name); !ours {
		_, other := slices.BinarySearch(c.Others, name)
		return other
	}
	_, lacks := slices.BinarySearch(c.Lacks, name)
	return !lacks
}
