package denials

import (
	"fmt"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Origin is what all lines of a container have alike.
type Origin struct {
	// Rule is the rule of the policy that decided.
	Rule string `json:"rule,omitempty"`
	// PodNamespace and PodName are the pod's, ContainerName what the engine calls the
	// container.
	PodNamespace  string `json:"k8s.ns.name,omitempty"`
	PodName       string `json:"k8s.pod.name,omitempty"`
	ContainerName string `json:"container.name,omitempty"`
}

// Line is one line of JSON in the policy's log, with the field names of Falco. There is one
// for the first call of each kind, and one at the container's end for each kind of which there
// were more calls.
type Line struct {
	// Time is that of the first call, or of the last one at the end.
	Time time.Time `json:"time"`
	Origin
	ContainerID string `json:"container.id"`
	// Process is the first call's: its name, its program as the container calls it, its
	// number on the machine and in the container. What a process says of itself may be a lie.
	Process    string `json:"proc.name"`
	Executable string `json:"proc.exepath,omitempty"`
	Pid        int    `json:"proc.pid"`
	VirtualPid int    `json:"proc.vpid,omitempty"`
	// Arch and Syscall are the call, Args the six arguments of the first one.
	Arch    specs.Arch `json:"evt.arch,omitempty"`
	Syscall string     `json:"evt.type"`
	Args    []string   `json:"evt.rawargs"`
	// Result is the errno's name, such as EPERM, or the action; "would be EPERM" if the policy
	// only audits and the call ran.
	Result string `json:"evt.res"`
	// Count is how often there were such calls until now.
	Count uint64 `json:"count"`
}

// line returns the line of a kind.
func line(r Request, a Answer, d *Denial) Line {
	out := Line{
		Time: d.Last, Origin: r.From, ContainerID: r.ID,
		Process: d.Sample.Comm, Executable: d.Sample.Exe, Pid: d.Sample.HostPid, VirtualPid: d.Sample.Pid,
		Arch: d.Arch, Syscall: d.Syscall, Result: result(d.Kind), Count: d.Count,
	}
	for _, v := range d.Sample.Args {
		out.Args = append(out.Args, hexadecimal(v))
	}
	if a == LetThrough {
		out.Result = "would be " + out.Result
	}
	return out
}

// result names what the profile says of a call.
func result(k Kind) string {
	if k.Action != specs.ActErrno {
		return string(k.Action)
	}
	if name := unix.ErrnoName(unix.Errno(k.Errno)); name != "" {
		return name
	}
	return fmt.Sprintf("errno %d", k.Errno)
}
