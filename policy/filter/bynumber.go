package filter

import (
	"cmp"
	"slices"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// clause is one rule on one call: the value that is returned if all conditions hold.
type clause struct {
	ret   uint32
	conds []specs.LinuxSeccompArg
}

func strictestFirst(a, b clause) int { return cmp.Compare(int32(a.ret), int32(b.ret)) }
func loosestFirst(a, b clause) int   { return strictestFirst(b, a) }

// clauses returns the rules of s on a name that differ from the default, ordered so that the
// first one whose conditions hold counts. As in libseccomp, a rule without conditions
// replaces all others.
func clauses(s *specs.LinuxSeccomp, name string, order func(a, b clause) int) (out []clause, err error) {
	otherwise, err := returned(s.DefaultAction, s.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	for _, rule := range s.Syscalls {
		ret, err := returned(rule.Action, rule.ErrnoRet)
		if err != nil {
			return nil, err
		}
		if ret == otherwise || !slices.Contains(rule.Names, name) {
			continue
		}
		out = append(out, split(ret, rule.Args)...)
	}
	slices.SortStableFunc(out, order)
	if at := slices.IndexFunc(out, func(c clause) bool { return len(c.conds) == 0 }); at >= 0 {
		return out[at : at+1], nil
	}
	return out, nil
}

// split makes a clause of each condition if two are on one argument, as runc does.
func split(ret uint32, args []specs.LinuxSeccompArg) (out []clause) {
	seen := make(map[uint]bool)
	for _, arg := range args {
		if seen[arg.Index] {
			for i := range args {
				out = append(out, clause{ret, args[i : i+1]})
			}
			return out
		}
		seen[arg.Index] = true
	}
	return []clause{{ret, args}}
}

// returned returns the value with which a filter returns an action.
func returned(name specs.LinuxSeccompAction, errno *uint) (uint32, error) {
	a, err := action(name, errno)
	if err != nil {
		return 0, err
	}
	data := uint32(uint16(a.GetReturnCode()))
	switch a & 0xffff {
	case libseccomp.ActKillProcess:
		return unix.SECCOMP_RET_KILL_PROCESS, nil
	case libseccomp.ActKillThread:
		return unix.SECCOMP_RET_KILL_THREAD, nil
	case libseccomp.ActTrap:
		return unix.SECCOMP_RET_TRAP, nil
	case libseccomp.ActErrno:
		return unix.SECCOMP_RET_ERRNO | data, nil
	case libseccomp.ActTrace:
		return unix.SECCOMP_RET_TRACE | data, nil
	case libseccomp.ActLog:
		return unix.SECCOMP_RET_LOG, nil
	case libseccomp.ActNotify:
		return unix.SECCOMP_RET_USER_NOTIF, nil
	}
	return unix.SECCOMP_RET_ALLOW, nil
}

// prepend puts the rules of s on names, compiled by number, before the program. Calls that
// meet none of these rules go on to the program as it was.
func (p *Program) prepend(s *specs.LinuxSeccomp, names []string, order func(a, b clause) int) error {
	native, err := libseccomp.GetNativeArch()
	if err != nil {
		return err
	}
	arches := []specs.Arch{specArch(native)}
	for _, arch := range s.Architectures {
		if !slices.Contains(arches, arch) {
			arches = append(arches, arch)
		}
	}
	var front []unix.SockFilter
	for _, arch := range arches {
		known := archOf[arch]
		if auditArch[known] == 0 {
			continue
		}
		for _, name := range names {
			nr, ok := syscalls.Number(arch, name)
			if !ok {
				continue
			}
			rules, err := clauses(s, name, order)
			if err != nil {
				return err
			}
			if len(rules) == 0 {
				continue
			}
			block, err := onNumber(auditArch[known], uint32(nr), rules, syscalls.Is64(arch))
			if err != nil {
				return err
			}
			front = append(front, block...)
		}
	}
	p.Instructions = append(front, p.Instructions...)
	return nil
}

// onNumber returns the code for the rules on one call of one architecture.
func onNumber(arch, nr uint32, rules []clause, wide bool) ([]unix.SockFilter, error) {
	var body []unix.SockFilter
	for _, r := range rules {
		code, err := r.code(wide)
		if err != nil {
			return nil, err
		}
		body = append(body, code...)
	}
	return append([]unix.SockFilter{
		{Code: bpf.Load, K: wordArch * 4},
		{Code: bpf.IfEqual, K: arch, Jt: 1},
		{Code: bpf.Jump, K: uint32(len(body) + 3)},
		{Code: bpf.Load, K: wordNr * 4},
		{Code: bpf.IfEqual, K: nr, Jt: 1},
		{Code: bpf.Jump, K: uint32(len(body))},
	}, body...), nil
}

// Where a step of a condition leads.
const (
	next = iota // the instruction after it
	met         // the condition holds
	miss        // it does not, so the rule does not count
)

// step is one comparison, and where it leads.
type step struct {
	in              unix.SockFilter
	then, otherwise int
}

// code returns the clause as instructions: they return its action if the conditions hold,
// and otherwise go on behind them.
func (c clause) code(wide bool) (out []unix.SockFilter, err error) {
	type jump struct {
		at   int
		then bool
	}
	var misses []jump
	for _, cond := range c.conds {
		steps := stepsOf(cond, wide)
		first := len(out)
		for i, s := range steps {
			offset := func(where int, then bool) uint8 {
				switch where {
				case met:
					return uint8(len(steps) - i - 1)
				case miss:
					misses = append(misses, jump{first + i, then})
				}
				return 0
			}
			if s.in.Code == bpf.Load || s.in.Code == bpf.And {
				out = append(out, s.in)
				continue
			}
			s.in.Jt, s.in.Jf = offset(s.then, true), offset(s.otherwise, false)
			out = append(out, s.in)
		}
	}
	out = append(out, unix.SockFilter{Code: bpf.Return, K: c.ret})
	for _, j := range misses {
		distance := len(out) - j.at - 1
		if distance > 255 {
			return nil, errTooLong
		}
		if j.then {
			out[j.at].Jt = uint8(distance)
		} else {
			out[j.at].Jf = uint8(distance)
		}
	}
	return out, nil
}

// stepsOf returns the comparisons of one condition; wide says whether filters see both
// halves of the argument.
func stepsOf(c specs.LinuxSeccompArg, wide bool) []step {
	low := uint32(wordArgs + 2*c.Index)
	load := func(word uint32) step { return step{in: unix.SockFilter{Code: bpf.Load, K: word * 4}} }
	test := func(code uint16, value uint32, then, otherwise int) step {
		return step{unix.SockFilter{Code: code, K: value}, then, otherwise}
	}
	high := func(s ...step) []step {
		if !wide {
			return nil
		}
		return append([]step{load(low + 1)}, s...)
	}
	top, bottom := uint32(c.Value>>32), uint32(c.Value)
	lower := func(code uint16, then, otherwise int) []step {
		return []step{load(low), test(code, bottom, then, otherwise)}
	}
	switch c.Op {
	case specs.OpNotEqual:
		return append(high(test(bpf.IfEqual, top, next, met)), lower(bpf.IfEqual, miss, met)...)
	case specs.OpGreaterThan:
		return append(high(test(bpf.IfGreater, top, met, next), test(bpf.IfEqual, top, next, miss)), lower(bpf.IfGreater, met, miss)...)
	case specs.OpGreaterEqual:
		return append(high(test(bpf.IfGreater, top, met, next), test(bpf.IfEqual, top, next, miss)), lower(bpf.IfAtLeast, met, miss)...)
	case specs.OpLessEqual:
		return append(high(test(bpf.IfGreater, top, miss, next), test(bpf.IfEqual, top, next, met)), lower(bpf.IfGreater, miss, met)...)
	case specs.OpLessThan:
		return append(high(test(bpf.IfGreater, top, miss, next), test(bpf.IfEqual, top, next, met)), lower(bpf.IfAtLeast, miss, met)...)
	case specs.OpMaskedEqual:
		and := func(mask uint32) step { return step{in: unix.SockFilter{Code: bpf.And, K: mask}} }
		want := c.ValueTwo & c.Value
		return append(high(and(top), test(bpf.IfEqual, uint32(want>>32), next, miss)),
			load(low), and(bottom), test(bpf.IfEqual, uint32(want), next, miss))
	}
	return append(high(test(bpf.IfEqual, top, next, miss)), lower(bpf.IfEqual, next, miss)...)
}
