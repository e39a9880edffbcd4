package semantics

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// sizing estimates how many instructions libseccomp 2.5 needs for rules; it is never below.
// TestObserveRandom of policy/observe holds it to that.
type sizing struct {
	arches []specs.Arch
	cost   map[string]int
	nodes  map[string]bool // comparisons that are counted
}

// Size estimates how many instructions libseccomp 2.5 makes of rules on some architectures, never
// too few, and returns the names that need most.
func Size(rules []specs.LinuxSyscall, arches []specs.Arch) (instructions int, most []string) {
	s := sizing{arches: arches, cost: make(map[string]int), nodes: make(map[string]bool)}
	for _, r := range rules {
		for _, name := range r.Names {
			s.add(name, r.Args)
		}
	}
	instructions = 32 * len(arches)
	for _, n := range s.cost {
		instructions += n
	}
	most = slices.SortedFunc(maps.Keys(s.cost), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.cost[b], s.cost[a]), cmp.Compare(a, b))
	})
	return instructions, most[:min(3, len(most))]
}

// add adds a rule on one name. The first rule compares the number, with its share of the
// search tree; a later one may need a jump.
func (s *sizing) add(name string, args []specs.LinuxSeccompArg) {
	on, known := syscalls.Arches(name)
	for _, arch := range s.arches {
		if known && on&syscalls.SetOf[arch] == 0 {
			continue // libseccomp writes nothing there
		}
		path := string(arch) + " " + name
		s.cost[name]++
		if !s.nodes[path] {
			s.nodes[path] = true
			s.cost[name]++
		}
		for _, a := range args {
			words := 2 // load, compare
			if a.Op != specs.OpEqualTo && a.Op != specs.OpNotEqual {
				words = 3
			}
			s.cost[name] += words
			if syscalls.Is64(arch) {
				// Rules that begin alike share the comparison of the high half.
				high := fmt.Sprint(path, a.Index, a.Op, a.Value>>32, a.ValueTwo>>32)
				if !s.nodes[high] {
					s.nodes[high] = true
					s.cost[name] += words
				}
			}
			path = fmt.Sprint(path, a)
		}
	}
}
