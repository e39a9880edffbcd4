package denials

import (
	"time"

	"github.com/batten-runtime/batten/internal/record"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Counts are the denials of one container. Of execs they are counted too.
type Counts struct {
	// Owner and ID name the container as its record does.
	Owner string `json:"owner"`
	ID    string `json:"id"`
	// Answer is what the listener did with the calls.
	Answer Answer `json:"answer"`
	// Since is when the listener began; Updated when this was written.
	Since   time.Time `json:"since"`
	Updated time.Time `json:"updated"`
	// Denials are the kinds that were seen, in the order of their first call.
	Denials []Denial `json:"denials"`
	// Others counts the calls of further kinds, once Denials has maxKinds.
	Others uint64 `json:"others,omitempty"`
	// Slowed is how long in all calls had to wait so that a flood of them costs the
	// container, and not the node.
	Slowed time.Duration `json:"slowed,omitempty"`
	// Broken says why calls are no longer seen; empty while they are.
	Broken string `json:"broken,omitempty"`
}

// Answer is what a listener does with the calls that it is notified of.
type Answer = record.Answer

const (
	Denied     = record.Denied
	LetThrough = record.LetThrough
)

// Denial is one kind of call and how often it was made.
type Denial struct {
	Kind
	// Count is how many calls were answered. A signal that reaches a process just after the
	// answer makes the kernel restart the call, which counts again then.
	Count uint64    `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Sample is the first call of this kind.
	Sample Sample `json:"sample"`
}

// Kind is what calls are counted by.
type Kind struct {
	Arch specs.Arch `json:"arch"`
	// Syscall is the call's name, or its number where Batten knows no name.
	Syscall string `json:"syscall"`
	// Args are the arguments that the profile has conditions on, by index.
	Args map[uint]uint64 `json:"args,omitempty"`
	// Action and Errno are what the profile says of the call.
	Action specs.LinuxSeccompAction `json:"action"`
	Errno  uint16                   `json:"errno,omitempty"`
}

// Sample is one call. What the process says of itself, Comm and Exe, may be a lie.
type Sample struct {
	// Pid is the process in the container's pid namespace, HostPid on the host.
	Pid     int `json:"pid"`
	HostPid int `json:"hostPid"`
	// Comm is the process's name (proc_pid_comm(5)), Exe its program as it is called in
	// the container.
	Comm string `json:"comm"`
	Exe  string `json:"exe,omitempty"`
	// Args are all six arguments, whether the call has so many or not.
	Args [6]uint64 `json:"args"`
	// InstructionPointer is where the process made the call.
	InstructionPointer uint64 `json:"instructionPointer"`
}
