package execs

import (
	"encoding/json"
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The types are those of libcontainer/configs; a state.json holds them since runc 1.0.
type libcontainerSeccomp struct {
	DefaultAction    int                      `json:"default_action"`
	Architectures    []string                 `json:"architectures"`
	Flags            []specs.LinuxSeccompFlag `json:"flags"`
	Syscalls         []libcontainerSyscall    `json:"syscalls"`
	DefaultErrnoRet  *uint                    `json:"default_errno_ret"`
	ListenerPath     string                   `json:"listener_path,omitempty"`
	ListenerMetadata string                   `json:"listener_metadata,omitempty"`
}

type libcontainerSyscall struct {
	Name     string            `json:"name"`
	Action   int               `json:"action"`
	ErrnoRet *uint             `json:"errnoRet"`
	Args     []libcontainerArg `json:"args"`
}

type libcontainerArg struct {
	Index    uint   `json:"index"`
	Value    uint64 `json:"value"`
	ValueTwo uint64 `json:"value_two"`
	Op       int    `json:"op"`
}

// actions and operators are in the order of libcontainer's numbers, which begin at 1.
var (
	actions = []specs.LinuxSeccompAction{
		specs.ActKill, specs.ActErrno, specs.ActTrap, specs.ActAllow, specs.ActTrace, specs.ActLog, specs.ActNotify,
		specs.ActKillThread, specs.ActKillProcess,
	}
	operators = []specs.LinuxSeccompOperator{
		specs.OpEqualTo, specs.OpNotEqual, specs.OpGreaterThan, specs.OpGreaterEqual, specs.OpLessThan, specs.OpLessEqual,
		specs.OpMaskedEqual,
	}
	architectures = map[specs.Arch]string{
		specs.ArchX86: "x86", specs.ArchX86_64: "amd64", specs.ArchX32: "x32", specs.ArchARM: "arm", specs.ArchAARCH64: "arm64",
		specs.ArchMIPS: "mips", specs.ArchMIPS64: "mips64", specs.ArchMIPS64N32: "mips64n32", specs.ArchMIPSEL: "mipsel",
		specs.ArchMIPSEL64: "mipsel64", specs.ArchMIPSEL64N32: "mipsel64n32", specs.ArchPPC: "ppc", specs.ArchPPC64: "ppc64",
		specs.ArchPPC64LE: "ppc64le", specs.ArchRISCV64: "riscv64", specs.ArchS390: "s390", specs.ArchS390X: "s390x",
		specs.ArchLOONGARCH64: "loong64",
	}
)

func fromLibcontainer(data []byte) (*specs.LinuxSeccomp, error) {
	var in *libcontainerSeccomp
	if len(data) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(data, &in); err != nil || in == nil {
		return nil, err
	}
	action, err := at(actions, in.DefaultAction)
	if err != nil {
		return nil, err
	}
	out := &specs.LinuxSeccomp{
		DefaultAction: action, DefaultErrnoRet: in.DefaultErrnoRet, Flags: in.Flags,
		ListenerPath: in.ListenerPath, ListenerMetadata: in.ListenerMetadata,
	}
	for _, name := range in.Architectures {
		arch, err := archOf(name)
		if err != nil {
			return nil, err
		}
		out.Architectures = append(out.Architectures, arch)
	}
	for _, c := range in.Syscalls {
		call := specs.LinuxSyscall{Names: []string{c.Name}, ErrnoRet: c.ErrnoRet}
		if call.Action, err = at(actions, c.Action); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		for _, a := range c.Args {
			op, err := at(operators, a.Op)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			call.Args = append(call.Args, specs.LinuxSeccompArg{Index: a.Index, Value: a.Value, ValueTwo: a.ValueTwo, Op: op})
		}
		out.Syscalls = append(out.Syscalls, call)
	}
	return out, nil
}

func toLibcontainer(s specs.LinuxSeccomp) ([]byte, error) {
	out := libcontainerSeccomp{
		DefaultAction: 1 + slices.Index(actions, s.DefaultAction), DefaultErrnoRet: s.DefaultErrnoRet, Flags: s.Flags,
		Architectures: []string{}, Syscalls: []libcontainerSyscall{}, ListenerPath: s.ListenerPath, ListenerMetadata: s.ListenerMetadata,
	}
	if s.Flags == nil { // as runc does for a config.json without any
		out.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagSpecAllow}
	}
	for _, arch := range s.Architectures {
		name, ok := architectures[arch]
		if !ok {
			return nil, fmt.Errorf("runc has no name for %s", arch)
		}
		out.Architectures = append(out.Architectures, name)
	}
	for _, c := range s.Syscalls {
		args := []libcontainerArg{}
		for _, a := range c.Args {
			args = append(args, libcontainerArg{Index: a.Index, Value: a.Value, ValueTwo: a.ValueTwo, Op: 1 + slices.Index(operators, a.Op)})
		}
		for _, name := range c.Names {
			out.Syscalls = append(out.Syscalls, libcontainerSyscall{Name: name, Action: 1 + slices.Index(actions, c.Action), ErrnoRet: c.ErrnoRet, Args: args})
		}
	}
	return json.Marshal(out)
}

// at returns what libcontainer's number stands for.
func at[T any](all []T, number int) (out T, err error) {
	if number < 1 || number > len(all) {
		return out, fmt.Errorf("it has the number %d, which is none of libcontainer's", number)
	}
	return all[number-1], nil
}

func archOf(name string) (specs.Arch, error) {
	for arch, own := range architectures {
		if own == name {
			return arch, nil
		}
	}
	return "", fmt.Errorf("it has the architecture %q, which is none of libcontainer's", name)
}
