package recorder

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Call is a call that a container made, and who made it first.
type Call struct {
	Arch specs.Arch
	// Nr is the number as programs use it, with x32's bit. Name is empty if no table has it.
	Nr   int
	Name string
	First
	// Values are those of the arguments that are recorded, by index and value.
	Values []Value
}

// Value is a value of an argument, and who made the call with it first.
type Value struct {
	Index uint
	Value uint64
	First
}

// First is when something was seen, and of whom.
type First struct {
	Time time.Time
	// Pid is the process's number on the machine, Program the name of its thread, which can be
	// chosen.
	Pid     int
	Program string
}

// Calls returns what was recorded of a container, by architecture and number.
func (r *Recorder) Calls(t Tag) ([]Call, error) {
	values, err := r.values(t)
	if err != nil {
		return nil, err
	}
	var out []Call
	for i, arch := range arches {
		for nr := range numbers {
			var c cell
			where := uint32(i<<numberBits | nr)
			if err := r.maps.Cells.Lookup(t.cell(where), &c); err != nil {
				return nil, err
			}
			if Tag(c.Tag) != t {
				continue
			}
			call := Call{Arch: arch, Nr: nr, First: r.first(c.Time, c.Pid, c.Comm), Values: values[where]}
			if arch == specs.ArchX32 {
				call.Nr |= x32Bit
			}
			call.Name = syscalls.CallAt(arch, call.Nr)
			out = append(out, call)
		}
	}
	return out, nil
}

// values returns the arguments that were recorded of a container, by architecture and number.
func (r *Recorder) values(t Tag) (map[uint32][]Value, error) {
	out := make(map[uint32][]Value)
	err := each(r.maps.Values, func(v value, by first) {
		if Tag(v.Tag) == t {
			out[v.Where] = append(out[v.Where], Value{Index: uint(v.Index), Value: v.Value, First: r.first(by.Time, by.Pid, by.Comm)})
		}
	})
	for _, list := range out {
		slices.SortFunc(list, func(a, b Value) int { return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Value, b.Value)) })
	}
	return out, err
}

func (r *Recorder) first(ns uint64, pid uint32, comm [16]byte) First {
	name, _, _ := bytes.Cut(comm[:], []byte{0})
	return First{Time: r.at(ns), Pid: int(pid), Program: string(name)}
}
