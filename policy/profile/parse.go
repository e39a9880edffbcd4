package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/batten-runtime/batten/policy/document"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// MaxSize is the largest profile that Batten reads, in bytes.
const MaxSize = 1 << 20

// Parse reads a profile in JSON. File names it in findings; where they have
// errors the profile is nil. It is checked with [Validate] too.
func Parse(file string, data []byte) (*Profile, document.Findings) {
	var findings document.Findings
	if len(data) > MaxSize {
		return nil, document.Findings{{What: "profile", File: file, Message: fmt.Sprintf("%d bytes are more than the %d that Batten reads", len(data), MaxSize)}}
	}
	n := document.ParseJSON("profile", file, data, &findings)
	if findings.Err() != nil {
		return nil, findings
	}
	p := FromNode(file, n)
	if findings.Err() != nil {
		return nil, findings
	}
	sum := sha256.Sum256(data)
	p.Digest = hex.EncodeToString(sum[:])
	return p, findings
}

// FromNode reads a profile that is part of another document. Problems go to
// the node's findings.
func FromNode(name string, n document.Node) *Profile {
	p := &Profile{Name: name}
	var defaultAction, architectures, syscalls document.Node
	n.Fields(map[string]func(document.Node){
		"defaultAction":    func(v document.Node) { defaultAction, p.seccomp.DefaultAction = v, action(v) },
		"defaultErrnoRet":  optional(func(v document.Node) { p.seccomp.DefaultErrnoRet = errnoNumber(v) }),
		"defaultErrno":     func(v document.Node) { errnoName(v, &p.seccomp.DefaultErrnoRet) },
		"architectures":    optional(func(v document.Node) { architectures, p.seccomp.Architectures = v, arches(v) }),
		"archMap":          optional(func(v document.Node) { p.archMap = archMap(v) }),
		"flags":            optional(func(v document.Node) { p.seccomp.Flags = flags(v) }),
		"listenerPath":     func(v document.Node) { p.seccomp.ListenerPath = v.String() },
		"listenerMetadata": func(v document.Node) { p.seccomp.ListenerMetadata = v.String() },
		"syscalls": optional(func(v document.Node) {
			syscalls = v
			for _, item := range v.Items() {
				p.rules = append(p.rules, parseRule(item))
			}
		}),
	})
	if defaultAction.IsZero() {
		n.Errorf("defaultAction is missing; runc refuses such a profile")
	}
	if !architectures.IsZero() && len(p.archMap) > 0 {
		architectures.Errorf("stands beside archMap; write one of the two")
	}
	Validate(p, n, syscalls)
	return p
}

// optional skips a field that is null, as Go's decoders do.
func optional(visit func(document.Node)) func(document.Node) {
	return func(v document.Node) {
		if !v.IsNull() {
			visit(v)
		}
	}
}

// Actions, operators, flags and architectures of runtime-spec's
// config-linux.md, section Seccomp.
var (
	actions = words(specs.ActKill, specs.ActKillProcess, specs.ActKillThread, specs.ActTrap,
		specs.ActErrno, specs.ActTrace, specs.ActAllow, specs.ActLog, specs.ActNotify)
	operators = words(specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo,
		specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual)
	flagNames = words(specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagSpecAllow,
		specs.LinuxSeccompFlagWaitKillableRecv, specs.LinuxSeccompFlag("SECCOMP_FILTER_FLAG_TSYNC"))
	archNames = words(specs.ArchX86, specs.ArchX86_64, specs.ArchX32, specs.ArchARM, specs.ArchAARCH64,
		specs.ArchMIPS, specs.ArchMIPS64, specs.ArchMIPS64N32, specs.ArchMIPSEL, specs.ArchMIPSEL64,
		specs.ArchMIPSEL64N32, specs.ArchPPC, specs.ArchPPC64, specs.ArchPPC64LE, specs.ArchS390,
		specs.ArchS390X, specs.ArchPARISC, specs.ArchPARISC64, specs.ArchRISCV64,
		specs.ArchLOONGARCH64, specs.ArchM68K, specs.ArchSH, specs.ArchSHEB)
)

func words[T ~string](values ...T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

func action(n document.Node) specs.LinuxSeccompAction {
	return specs.LinuxSeccompAction(n.OneOf(actions...))
}

func arches(n document.Node) []specs.Arch {
	var out []specs.Arch
	for _, item := range n.Items() {
		out = append(out, specs.Arch(item.OneOf(archNames...)))
	}
	return out
}

// flags keeps an empty list apart from none: without flags runc loads the
// filter with SPEC_ALLOW, with an empty list it does not.
func flags(n document.Node) []specs.LinuxSeccompFlag {
	out := []specs.LinuxSeccompFlag{}
	for _, item := range n.Items() {
		out = append(out, specs.LinuxSeccompFlag(item.OneOf(flagNames...)))
	}
	return out
}

func archMap(n document.Node) []archMapping {
	var out []archMapping
	for _, item := range n.Items() {
		var m archMapping
		item.Fields(map[string]func(document.Node){
			"architecture":     func(v document.Node) { m.arch = specs.Arch(v.OneOf(archNames...)) },
			"subArchitectures": optional(func(v document.Node) { m.subs = arches(v) }),
		})
		if m.arch == "" {
			item.Errorf("has no architecture")
		}
		out = append(out, m)
	}
	return out
}

// maxErrno is the largest errno that the kernel returns for a filter
// (MAX_ERRNO in include/linux/err.h); it caps larger ones.
const maxErrno = 4095

func errnoNumber(n document.Node) *uint {
	v := uint(n.Uint(32))
	if v > maxErrno {
		n.Errorf("errno %d is above %d, the largest that the kernel returns", v, maxErrno)
	}
	return &v
}

// errnoName sets number from a name such as ENOSYS (containers/common). A
// number beside it must be the same.
func errnoName(n document.Node, number **uint) {
	for e := unix.Errno(1); e < 134; e++ {
		if unix.ErrnoName(e) == n.String() {
			v := uint(e)
			if *number != nil && **number != v {
				n.Errorf("%s is %d, but errnoRet says %d; write one of the two", n.String(), v, **number)
			}
			*number = &v
			return
		}
	}
	n.Errorf("unknown errno %q", n.String())
}

func parseRule(n document.Node) rule {
	var r rule
	var name, names, act document.Node
	ignore := func(document.Node) {}
	n.Fields(map[string]func(document.Node){
		"name":     func(v document.Node) { name, r.Names = v, []string{v.String()} },
		"names":    func(v document.Node) { names, r.Names = v, v.Strings() },
		"action":   func(v document.Node) { act, r.Action = v, action(v) },
		"errnoRet": func(v document.Node) { r.ErrnoRet = errnoNumber(v) },
		"errno":    func(v document.Node) { errnoName(v, &r.ErrnoRet) },
		"args":     optional(func(v document.Node) { r.Args = parseArgs(v) }),
		"includes": optional(func(v document.Node) { r.includes = parseConditions(v) }),
		"excludes": optional(func(v document.Node) { r.excludes = parseConditions(v) }),
		"comment":  ignore,
	})
	switch {
	case !name.IsZero() && !names.IsZero():
		name.Errorf("stands beside names; write one of the two")
	case len(r.Names) == 0:
		n.Errorf("names no syscall; runc refuses such a rule")
	}
	if act.IsZero() {
		n.Errorf("has no action")
	}
	return r
}

func parseArgs(n document.Node) []specs.LinuxSeccompArg {
	out := []specs.LinuxSeccompArg{}
	for _, item := range n.Items() {
		var a specs.LinuxSeccompArg
		var op document.Node
		item.Fields(map[string]func(document.Node){
			"index": func(v document.Node) {
				a.Index = uint(v.Uint(32))
				if a.Index > 5 {
					v.Errorf("argument %d does not exist; a syscall has arguments 0 to 5", a.Index)
				}
			},
			"value":    func(v document.Node) { a.Value = v.Uint(64) },
			"valueTwo": func(v document.Node) { a.ValueTwo = v.Uint(64) },
			"op":       func(v document.Node) { op, a.Op = v, specs.LinuxSeccompOperator(v.OneOf(operators...)) },
		})
		if op.IsZero() {
			item.Errorf("has no op")
		}
		out = append(out, a)
	}
	return out
}

func parseConditions(n document.Node) conditions {
	var c conditions
	n.Fields(map[string]func(document.Node){
		"caps":   optional(func(v document.Node) { c.caps = v.Strings() }),
		"arches": optional(func(v document.Node) { c.arches = v.Strings() }),
		"minKernel": func(v document.Node) {
			if k, err := fmt.Sscanf(v.String(), "%d.%d", &c.minKernel.major, &c.minKernel.minor); k != 2 || err != nil {
				v.Errorf("%q is not a kernel version such as 4.8", v.String())
			}
		},
	})
	return c
}
