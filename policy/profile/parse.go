package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Parse reads a profile in JSON. File names it in findings; where they have
// errors the profile is nil. What runc or the kernel refuses is an error, too, and what they
// silently make of it a warning.
func Parse(file string, data []byte) (*Profile, document.Findings) {
	var findings document.Findings
	if len(data) > semantics.MaxSize {
		return nil, document.Findings{{What: "profile", File: file, Message: fmt.Sprintf("%d bytes are more than the %d that Batten reads", len(data), semantics.MaxSize)}}
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
func FromNode(name string, n document.Node) *Profile { return fromNode(name, n, operator{}) }

// fromNode reads a profile that the operator o, if any, writes into a file.
func fromNode(name string, n document.Node, o operator) *Profile {
	p := &Profile{Name: name, place: n.Place(), base: o.base}
	before := n.Errors()
	var architectures, syscalls document.Node
	n.Fields(Type, map[string]func(document.Node){
		"defaultAction":    func(v document.Node) { p.seccomp.DefaultAction = action(v) },
		"defaultErrnoRet":  func(v document.Node) { p.seccomp.DefaultErrnoRet = errnoNumber(v) },
		"defaultErrno":     func(v document.Node) { errnoName(v, &p.seccomp.DefaultErrnoRet) },
		"architectures":    func(v document.Node) { architectures, p.seccomp.Architectures = v, arches(v) },
		"archMap":          func(v document.Node) { p.archMap = archMap(v) },
		"flags":            func(v document.Node) { p.seccomp.Flags = flags(v) },
		"listenerPath":     func(v document.Node) { p.seccomp.ListenerPath = v.String() },
		"listenerMetadata": func(v document.Node) { p.seccomp.ListenerMetadata = v.String() },
		"syscalls": func(v document.Node) {
			syscalls = v
			for _, item := range v.Items() {
				r := parseRule(item)
				o.mend(&r, item)
				p.rules = append(p.rules, r)
			}
		},
	})
	if !architectures.IsZero() && len(p.archMap) > 0 {
		architectures.Errorf("stands beside archMap; write one of the two")
	}
	p.validate(n, syscalls, n.Errors() > before)
	if !syscalls.IsZero() {
		for _, at := range places(syscalls, len(p.rules)) {
			p.at = append(p.at, at.Place())
		}
	}
	return p
}

func words[T ~string](values ...T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

func action(n document.Node) specs.LinuxSeccompAction {
	return specs.LinuxSeccompAction(n.Word())
}

func arches(n document.Node) []specs.Arch {
	var out []specs.Arch
	for _, item := range n.Items() {
		out = append(out, specs.Arch(item.Word()))
	}
	return out
}

// flags keeps an empty list apart from none: without flags runc loads the
// filter with SPEC_ALLOW, with an empty list it does not.
func flags(n document.Node) []specs.LinuxSeccompFlag {
	out := []specs.LinuxSeccompFlag{}
	for _, item := range n.Items() {
		out = append(out, specs.LinuxSeccompFlag(item.Word()))
	}
	return out
}

func archMap(n document.Node) []archMapping {
	var out []archMapping
	for _, item := range n.Items() {
		var m archMapping
		item.Fields(archMapType, map[string]func(document.Node){
			"architecture":     func(v document.Node) { m.arch = specs.Arch(v.Word()) },
			"subArchitectures": func(v document.Node) { m.subs = arches(v) },
		})
		out = append(out, m)
	}
	return out
}

func errnoNumber(n document.Node) *uint {
	before := n.Errors()
	v := uint(n.Uint(32))
	if n.Errors() > before {
		return nil
	}
	if v > semantics.MaxErrno {
		n.Errorf("errno %d is above %d, the largest that the kernel returns", v, semantics.MaxErrno)
	}
	return &v
}

// errnoName sets number from a name such as ENOSYS (containers/common). A
// number beside it must be the same.
func errnoName(n document.Node, number **uint) {
	v := Errno(n.String())
	if v == 0 {
		n.Errorf("unknown errno %q", n.String())
		return
	}
	if *number != nil && **number != v {
		n.Errorf("%s is %d, but errnoRet says %d; write one of the two", n.String(), v, **number)
	}
	*number = &v
}

func parseRule(n document.Node) rule {
	var r rule
	var name, names document.Node
	ignore := func(document.Node) {}
	n.Fields(ruleType, map[string]func(document.Node){
		"name":     func(v document.Node) { name, r.Names = v, []string{v.String()} },
		"names":    func(v document.Node) { names, r.Names = v, v.Strings() },
		"action":   func(v document.Node) { r.Action = action(v) },
		"errnoRet": func(v document.Node) { r.ErrnoRet = errnoNumber(v) },
		"errno":    func(v document.Node) { errnoName(v, &r.ErrnoRet) },
		"args":     func(v document.Node) { r.Args = parseArgs(v) },
		"includes": func(v document.Node) { r.includes = parseConditions(v) },
		"excludes": func(v document.Node) { r.excludes = parseConditions(v) },
		"comment":  ignore,
	})
	switch {
	case !name.IsZero() && !names.IsZero():
		name.Errorf("stands beside names; write one of the two")
	case len(r.Names) == 0:
		n.As("names-nothing").Warnf("names no system call, so the rule does nothing")
	}
	return r
}

func parseArgs(n document.Node) []specs.LinuxSeccompArg {
	out := []specs.LinuxSeccompArg{}
	for _, item := range n.Items() {
		var a specs.LinuxSeccompArg
		item.Fields(argType, map[string]func(document.Node){
			"index": func(v document.Node) {
				a.Index = uint(v.Uint(32))
				if a.Index > 5 {
					v.Errorf("argument %d does not exist; a syscall has arguments 0 to 5", a.Index)
				}
			},
			"value":    func(v document.Node) { a.Value = v.Uint(64) },
			"valueTwo": func(v document.Node) { a.ValueTwo = v.Uint(64) },
			"op":       func(v document.Node) { a.Op = specs.LinuxSeccompOperator(v.Word()) },
		})
		out = append(out, a)
	}
	return out
}

func parseConditions(n document.Node) conditions {
	var c conditions
	n.Fields(conditionsType, map[string]func(document.Node){
		"caps":   func(v document.Node) { c.caps = v.Strings() },
		"arches": func(v document.Node) { c.arches = v.Strings() },
		"minKernel": func(v document.Node) {
			if k, err := fmt.Sscanf(v.String(), "%d.%d", &c.minKernel.major, &c.minKernel.minor); k != 2 || err != nil {
				v.Errorf("%q is not a kernel version such as 4.8", v.String())
			}
		},
	})
	return c
}
