package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"go.yaml.in/yaml/v3"
)

// Formats in which profiles are written.
const (
	// OCI is linux.seccomp of the runtime-spec, which containerd, Podman, CRI-O and Docker read.
	OCI = "oci"
	// Docker has an archMap in place of architectures, so that it is for one kind of machine.
	Docker = "docker"
	// SPO is a SeccompProfile of the Security Profiles Operator, in YAML.
	SPO = "spo"
)

// Formats returns the names of all, in the order of the help.
func Formats() []string { return []string{OCI, Docker, SPO} }

// Encode returns a profile in a format, with a newline at its end. The name is that of the
// Kubernetes object, which only SPO has. It is an error if the format is unknown, or cannot hold
// the profile.
func Encode(s specs.LinuxSeccomp, format, name string) ([]byte, error) {
	switch format {
	case OCI:
		return indented(profile.Encode(s))
	case Docker:
		if s.Flags != nil && len(s.Flags) == 0 {
			return nil, fmt.Errorf("the format of Docker cannot hold an empty list of flags; write it as %s", OCI)
		}
		text, err := json.Marshal(dockers(s))
		if err != nil {
			return nil, err
		}
		return indented(text)
	case SPO:
		return operators(s, name)
	}
	return nil, fmt.Errorf("no profile is written as %q; write %s, %s or %s", format, OCI, Docker, SPO)
}

func indented(text []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// dockers returns a profile as Docker writes its own.
func dockers(s specs.LinuxSeccomp) *seccomp.Seccomp {
	out := &seccomp.Seccomp{LinuxSeccomp: s}
	for _, rule := range s.Syscalls {
		out.Syscalls = append(out.Syscalls, &seccomp.Syscall{LinuxSyscall: rule})
	}
	if len(s.Architectures) > 0 {
		out.ArchMap = []seccomp.Architecture{{Arch: s.Architectures[0], SubArches: append([]specs.Arch{}, s.Architectures[1:]...)}}
	}
	out.LinuxSeccomp.Syscalls, out.LinuxSeccomp.Architectures = nil, nil
	return out
}

// object is a SeccompProfile of the Security Profiles Operator
// (api/seccompprofile/v1beta1 in its repository).
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		DefaultAction specs.LinuxSeccompAction `yaml:"defaultAction"`
		Architectures []specs.Arch             `yaml:"architectures,omitempty"`
		Flags         []specs.LinuxSeccompFlag `yaml:"flags,omitempty"`
		Syscalls      []objectRule             `yaml:"syscalls"`
	} `yaml:"spec"`
}

type objectRule struct {
	Names    []string                 `yaml:"names"`
	Action   specs.LinuxSeccompAction `yaml:"action"`
	ErrnoRet uint                     `yaml:"errnoRet,omitempty"`
	Args     []objectArg              `yaml:"args,omitempty"`
}

type objectArg struct {
	Index    uint                       `yaml:"index"`
	Value    uint64                     `yaml:"value"`
	ValueTwo uint64                     `yaml:"valueTwo,omitempty"`
	Op       specs.LinuxSeccompOperator `yaml:"op"`
}

// operators returns a profile as a SeccompProfile. It is an error if its type has no place for
// what the profile says: it has no errno of the default action, for one.
func operators(s specs.LinuxSeccomp, name string) ([]byte, error) {
	refuse := func(what string) ([]byte, error) {
		return nil, fmt.Errorf("a SeccompProfile of the Security Profiles Operator cannot hold %s; write it as %s", what, OCI)
	}
	switch {
	case s.DefaultErrnoRet != nil && *s.DefaultErrnoRet != 1:
		return refuse("the errno of defaultAction")
	case s.ListenerPath != "" || s.ListenerMetadata != "":
		return refuse("a listener of the node")
	case s.Flags != nil && len(s.Flags) == 0:
		return refuse("an empty list of flags")
	}
	o := object{APIVersion: "security-profiles-operator.x-k8s.io/v1beta1", Kind: "SeccompProfile"}
	o.Metadata.Name = name
	o.Spec.DefaultAction, o.Spec.Architectures, o.Spec.Flags = s.DefaultAction, s.Architectures, slices.Clone(s.Flags)
	for _, r := range s.Syscalls {
		rule := objectRule{Names: r.Names, Action: r.Action}
		if r.ErrnoRet != nil {
			if rule.ErrnoRet = *r.ErrnoRet; rule.ErrnoRet == 0 {
				return refuse("an errno of 0")
			}
		}
		for _, a := range r.Args {
			if max(a.Value, a.ValueTwo) > math.MaxInt64 {
				return refuse(fmt.Sprintf("the value %d of %s: the API server reads 63 bits", max(a.Value, a.ValueTwo), r.Names[0]))
			}
			rule.Args = append(rule.Args, objectArg(a))
		}
		o.Spec.Syscalls = append(o.Spec.Syscalls, rule)
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(o); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}
