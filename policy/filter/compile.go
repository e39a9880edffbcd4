package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// actionOf maps the actions of runtime-spec's config-linux.md.
var actionOf = map[specs.LinuxSeccompAction]libseccomp.ScmpAction{
	specs.ActKill: libseccomp.ActKillThread, specs.ActKillThread: libseccomp.ActKillThread,
	specs.ActKillProcess: libseccomp.ActKillProcess, specs.ActTrap: libseccomp.ActTrap,
	specs.ActErrno: libseccomp.ActErrno, specs.ActTrace: libseccomp.ActTrace,
	specs.ActAllow: libseccomp.ActAllow, specs.ActLog: libseccomp.ActLog, specs.ActNotify: libseccomp.ActNotify,
}

var operatorOf = map[specs.LinuxSeccompOperator]libseccomp.ScmpCompareOp{
	specs.OpNotEqual: libseccomp.CompareNotEqual, specs.OpLessThan: libseccomp.CompareLess,
	specs.OpLessEqual: libseccomp.CompareLessOrEqual, specs.OpEqualTo: libseccomp.CompareEqual,
	specs.OpGreaterEqual: libseccomp.CompareGreaterEqual, specs.OpGreaterThan: libseccomp.CompareGreater,
	specs.OpMaskedEqual: libseccomp.CompareMaskedEqual,
}

var archOf = map[specs.Arch]libseccomp.ScmpArch{
	specs.ArchX86: libseccomp.ArchX86, specs.ArchX86_64: libseccomp.ArchAMD64, specs.ArchX32: libseccomp.ArchX32,
	specs.ArchARM: libseccomp.ArchARM, specs.ArchAARCH64: libseccomp.ArchARM64,
	specs.ArchMIPS: libseccomp.ArchMIPS, specs.ArchMIPS64: libseccomp.ArchMIPS64, specs.ArchMIPS64N32: libseccomp.ArchMIPS64N32,
	specs.ArchMIPSEL: libseccomp.ArchMIPSEL, specs.ArchMIPSEL64: libseccomp.ArchMIPSEL64, specs.ArchMIPSEL64N32: libseccomp.ArchMIPSEL64N32,
	specs.ArchPPC: libseccomp.ArchPPC, specs.ArchPPC64: libseccomp.ArchPPC64, specs.ArchPPC64LE: libseccomp.ArchPPC64LE,
	specs.ArchRISCV64: libseccomp.ArchRISCV64, specs.ArchS390: libseccomp.ArchS390, specs.ArchS390X: libseccomp.ArchS390X,
	specs.ArchLOONGARCH64: libseccomp.ArchLOONGARCH64,
}

// binaryTreeFrom is how many rules make runc ask libseccomp for a binary tree.
const binaryTreeFrom = 33

// Compile returns the program that runc 1.5 loads for s. It calls libseccomp as runc does
// (libcontainer/seccomp), and puts runc's stub in front, which answers ENOSYS to calls newer
// than the profile. It is an error if runc would refuse the container.
func Compile(s *specs.LinuxSeccomp) (*Program, error) { return compile(s, s) }

// compile returns the program of s. read is the profile as the runtime reads it; s is the
// part of read that libseccomp gets to see.
func compile(s, read *specs.LinuxSeccomp) (*Program, error) {
	defaultAction, err := action(s.DefaultAction, s.DefaultErrnoRet)
	if err != nil {
		return nil, fmt.Errorf("defaultAction: %w", err)
	}
	if s.DefaultAction == specs.ActNotify {
		return nil, errors.New("defaultAction is SCMP_ACT_NOTIFY; runc refuses that")
	}
	f, err := libseccomp.NewFilter(defaultAction)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	for _, name := range s.Architectures {
		arch, ok := archOf[name]
		if !ok {
			return nil, fmt.Errorf("architecture %q: runc does not know it", name)
		}
		if err := f.AddArch(arch); err != nil {
			return nil, fmt.Errorf("architecture %q: %w", name, err)
		}
	}
	flags, err := loadFlags(read)
	if err != nil {
		return nil, err
	}
	if countNames(read) >= binaryTreeFrom {
		_ = f.SetOptimize(2) // runc goes on without, too
	}
	for i, rule := range s.Syscalls {
		if err := addRule(f, rule, defaultAction); err != nil {
			return nil, fmt.Errorf("syscalls[%d]: %w", i, err)
		}
	}
	program, err := export(f)
	if err != nil {
		return nil, err
	}
	out := &Program{Instructions: program, Flags: flags, Listener: listener(read)}
	if stub := enosysStub(read, read != s); stub != nil {
		out.Instructions = append(stub, program...)
	}
	return out, nil
}

func countNames(s *specs.LinuxSeccomp) (n int) {
	for _, rule := range s.Syscalls {
		n += len(rule.Names)
	}
	return n
}

// loadFlags returns the flags of seccomp(2) that runc loads a profile with.
func loadFlags(s *specs.LinuxSeccomp) (flags uint, err error) {
	if s.Flags == nil {
		flags = unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	}
	for _, flag := range s.Flags {
		switch flag {
		case specs.LinuxSeccompFlagLog:
			flags |= unix.SECCOMP_FILTER_FLAG_LOG
		case specs.LinuxSeccompFlagSpecAllow:
			flags |= unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
		case specs.LinuxSeccompFlagWaitKillableRecv:
			flags |= unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
		case "SECCOMP_FILTER_FLAG_TSYNC": // runc takes it and does nothing
		default:
			return 0, fmt.Errorf("flag %q: runc does not know it", flag)
		}
	}
	for _, rule := range s.Syscalls {
		if rule.Action == specs.ActNotify {
			flags |= unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
		}
	}
	return flags, nil
}

// listener returns the name of the listener that answers the calls that s notifies of; it
// is empty if s notifies of none.
func listener(s *specs.LinuxSeccomp) string {
	for _, rule := range s.Syscalls {
		if rule.Action == specs.ActNotify {
			return s.ListenerPath + "\x00" + s.ListenerMetadata
		}
	}
	return ""
}

// action reads an action as runc does: an errno counts for two actions, and 16 bits of it.
func action(name specs.LinuxSeccompAction, errno *uint) (libseccomp.ScmpAction, error) {
	a, ok := actionOf[name]
	if !ok {
		return libseccomp.ActInvalid, fmt.Errorf("action %q: runc does not know it", name)
	}
	if a != libseccomp.ActErrno && a != libseccomp.ActTrace {
		return a, nil
	}
	data := uint(unix.EPERM)
	if errno != nil {
		data = *errno
	}
	return a.SetReturnCode(int16(data)), nil
}

// addRule adds an entry of syscalls, name by name.
func addRule(f *libseccomp.ScmpFilter, rule specs.LinuxSyscall, defaultAction libseccomp.ScmpAction) error {
	act, err := action(rule.Action, rule.ErrnoRet)
	if err != nil {
		return err
	}
	conditions, seen, repeated := []libseccomp.ScmpCondition{}, map[uint]bool{}, false
	for _, arg := range rule.Args {
		op, ok := operatorOf[arg.Op]
		if !ok {
			return fmt.Errorf("operator %q: runc does not know it", arg.Op)
		}
		c, err := libseccomp.MakeCondition(arg.Index, op, arg.Value, arg.ValueTwo)
		if err != nil {
			return err
		}
		repeated = repeated || seen[arg.Index]
		seen[arg.Index] = true
		conditions = append(conditions, c)
	}
	for _, name := range rule.Names {
		if name == "" {
			return errors.New("an empty name")
		}
		if rule.Action == specs.ActNotify && name == "write" {
			return errors.New("SCMP_ACT_NOTIFY on write; runc refuses that")
		}
		nr, err := libseccomp.GetSyscallFromName(name)
		if act == defaultAction || err != nil {
			continue // runc skips what says nothing and what libseccomp does not know
		}
		if err := addConditions(f, nr, act, conditions, repeated); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// addConditions adds a rule for one call; where two conditions are on one
// argument, runc adds a rule for each.
func addConditions(f *libseccomp.ScmpFilter, nr libseccomp.ScmpSyscall, act libseccomp.ScmpAction, conditions []libseccomp.ScmpCondition, repeated bool) error {
	if len(conditions) == 0 {
		return f.AddRule(nr, act)
	}
	if !repeated {
		return f.AddRuleConditional(nr, act, conditions)
	}
	for i := range conditions {
		if err := f.AddRuleConditional(nr, act, conditions[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// export returns the program that libseccomp makes of f.
func export(f *libseccomp.ScmpFilter) ([]unix.SockFilter, error) {
	fd, err := unix.MemfdCreate("filter", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory for the filter: %w", err)
	}
	file := os.NewFile(uintptr(fd), "filter")
	defer file.Close()
	if err := f.ExportBPF(file); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return decode(data)
}

// decode reads struct sock_filter in the machine's byte order.
func decode(data []byte) ([]unix.SockFilter, error) {
	const size = int(unsafe.Sizeof(unix.SockFilter{}))
	if len(data)%size != 0 {
		return nil, fmt.Errorf("a filter of %d bytes ends within an instruction", len(data))
	}
	out := make([]unix.SockFilter, len(data)/size)
	for i := range out {
		in := data[i*size:]
		out[i] = unix.SockFilter{Code: binary.NativeEndian.Uint16(in), Jt: in[2], Jf: in[3], K: binary.NativeEndian.Uint32(in[4:])}
	}
	return out, nil
}
