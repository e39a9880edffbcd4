package recording

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/decode"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Verdict is what a profile does with a call that was recorded.
type Verdict struct {
	Arch specs.Arch `json:"arch"`
	Name string     `json:"name"`
	// Args are the values that decide, by index: one call that would be denied. Result is what
	// it would fail with.
	Args   map[uint]uint64 `json:"args,omitempty"`
	Result string          `json:"result,omitempty"`
	// Program made the call first, with these arguments if these were recorded.
	Program string `json:"program"`
	// Why is set if it is not known whether a call was made that the profile denies.
	Why string `json:"why,omitempty"`
	// Falls is set if libraries take another call instead: clone3 that fails with ENOSYS.
	Falls bool `json:"falls,omitempty"`
}

// Call returns the call in words: socket(AF_ALG).
func (v *Verdict) Call(native specs.Arch) string {
	text := decode.Looked(v.Arch, v.Name, v.Args)
	if v.Arch != native {
		text += " of " + string(v.Arch)
	}
	return text
}

func (v *Verdict) String() string {
	if v.Why != "" {
		return fmt.Sprintf("%s by %s: %s", v.Name, v.Program, v.Why)
	}
	return fmt.Sprintf("%s by %s: %s", v.Call(v.Arch), v.Program, v.Result)
}

// maxCombinations bounds how many values of several arguments are tried together.
const maxCombinations = 1 << 12

// Judge returns the calls of recordings that a profile denies, each kind once, by name. A call with
// arguments is denied if the profile denies some of the values that were recorded.
func Judge(recordings []*Recording, s specs.LinuxSeccomp) ([]Verdict, error) {
	all, err := gather(recordings)
	if err != nil {
		return nil, err
	}
	work := semantics.NewWork()
	meaning, err := semantics.Understand(work, &s, all.arches[0])
	if err != nil {
		return nil, err
	}
	j := &judging{Meaning: meaning, known: make(map[site]semantics.Function)}
	var out []Verdict
	for _, r := range recordings {
		for i := range r.Containers {
			for _, c := range r.Containers[i].Calls {
				if name := nameOf(&c); name != "" {
					out = append(out, j.judge(&c, name)...)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Verdict) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Arch, b.Arch)) })
	return slices.CompactFunc(out, func(a, b Verdict) bool {
		return a.Name == b.Name && a.Arch == b.Arch && fmt.Sprint(a.Args) == fmt.Sprint(b.Args)
	}), work.Err()
}

// judging is a profile, and what it says of the calls that were looked at: most containers make
// the same.
type judging struct {
	*semantics.Meaning
	known map[site]semantics.Function
}

type site struct {
	arch specs.Arch
	name string
}

func (j *judging) on(arch specs.Arch, name string) semantics.Function {
	at := site{arch, name}
	f, known := j.known[at]
	if !known {
		f, _ = j.On(arch, name)
		j.known[at] = f
	}
	return f
}

// judge says what becomes of one call.
func (j *judging) judge(c *Call, name string) []Verdict {
	v := Verdict{Arch: c.Arch, Name: name, Program: c.Program}
	if !slices.Contains(j.Arches, c.Arch) {
		v.Result = "the process is killed: the profile does not list " + string(c.Arch)
		return []Verdict{v}
	}
	f := j.on(c.Arch, name)
	looked := f.Arguments()
	if name == "clone3" {
		looked = nil // no filter sees what is recorded as its argument
	}
	points := []point{{program: c.Program, values: make(map[uint]uint64)}}
	for _, i := range looked {
		var next []point
		for _, a := range c.Arguments {
			if a.Index != i || len(next) > maxCombinations {
				continue
			}
			for _, p := range points {
				next = append(next, p.with(a))
			}
		}
		switch {
		case len(next) == 0:
			v.Why = fmt.Sprintf("it is not known, since the profile looks at argument %d, which was not recorded", i)
			return []Verdict{v}
		case len(next) > maxCombinations:
			v.Why = "it is not known, since it was made with too many values to try all"
			return []Verdict{v}
		}
		points = next
	}
	var out []Verdict
	for _, p := range points {
		if o := f.At(p.args); o.Denies() {
			denied := v
			denied.Args, denied.Program, denied.Result = p.values, p.program, o.String()
			denied.Falls = name == "clone3" && o == semantics.Enosys
			out = append(out, denied)
		}
	}
	if len(looked) > 1 && len(out) > 0 && len(out) < len(points) {
		for i := range out {
			out[i].Why = "it is not known, since the values of its arguments were recorded each by itself"
		}
	}
	return out
}

// point is one call: the values of the arguments that a profile looks at.
type point struct {
	args    [6]uint64
	values  map[uint]uint64
	program string // of the first call with the value of the last argument
}

func (p point) with(a Argument) point {
	p.args[min(a.Index, 5)] = a.Value
	p.values = maps.Clone(p.values)
	p.values[a.Index], p.program = a.Value, a.Program
	return p
}
