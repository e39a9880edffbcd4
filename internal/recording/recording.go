package recording

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Version is the version of the format that this package writes and reads.
const Version = 1

// Recording is which system calls some containers made, and who made each first.
type Recording struct {
	// Batten is the format's version. No other JSON file that Batten reads has this key.
	Batten int `json:"battenRecording"`
	// Kernel is the release of the kernel, Machine its name for the machine: x86_64.
	Kernel  string `json:"kernel"`
	Machine string `json:"machine"`
	// Containers are those that were recorded, each run by itself.
	Containers []Container `json:"containers"`
	// Lost is what the recorder could not keep. A recording that lost something is not whole.
	Lost Lost `json:"lost,omitzero"`
	// Unnamed programs ended before it was known which container they were of: one that was to
	// be recorded, another, or none.
	Unnamed uint64 `json:"unnamed,omitempty"`
}

// Lost counts what a recorder had no room for, or came too late for.
type Lost struct {
	// Containers were not recorded: too many had started, or none of its calls was seen of one that ended.
	Containers uint64 `json:"containers,omitempty"`
	// Processes were not followed.
	Processes uint64 `json:"processes,omitempty"`
	// Arguments were not kept, of calls that were.
	Arguments uint64 `json:"arguments,omitempty"`
	// Calls have a number that no table has, and are in no container's list.
	Calls uint64 `json:"calls,omitempty"`
}

// Any reports whether anything was lost.
func (l Lost) Any() bool { return l != Lost{} }

// Container is one run of a container, or of a command.
type Container struct {
	// ID is the engine's; empty for a command. Namespace, Pod, Name and Image are what is known
	// of it.
	ID        string   `json:"id,omitempty"`
	Namespace string   `json:"namespace,omitempty"`
	Pod       string   `json:"pod,omitempty"`
	Name      string   `json:"name,omitempty"`
	Image     string   `json:"image,omitempty"`
	Command   []string `json:"command,omitempty"`
	// From is when recording began, To when it ended: at the container's end, or before.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Start says that the first instruction of its program was recorded; else the container ran
	// already. Ended says that it was recorded to its end.
	Start bool `json:"start"`
	Ended bool `json:"ended"`
	// NoNewPrivileges is how the runtime was to start it. Capabilities are its bounding set.
	NoNewPrivileges bool     `json:"noNewPrivileges"`
	Capabilities    []string `json:"capabilities,omitempty"`
	// Filtered says that a filter was in force, which may have denied calls.
	Filtered bool `json:"filtered"`
	// Calls are those that were let through, by architecture and number.
	Calls []Call `json:"calls"`
	// Denied are calls that its filter denied, or would have denied in an audit.
	Denied []Denied `json:"denied,omitempty"`
}

// Call is a system call that a container made.
type Call struct {
	Arch specs.Arch `json:"arch"`
	Nr   int        `json:"nr"`
	// Name is empty if no table has one for the number.
	Name string `json:"name,omitempty"`
	First
	// Arguments are the values that were seen of those arguments that are recorded of this
	// call, by index and value; nil if none is.
	Arguments []Argument `json:"arguments,omitempty"`
}

// First is who made a call, or made it with an argument, before all others.
type First struct {
	// Program is the name of the process, which it can choose; Pid its number on the node.
	Program string `json:"program"`
	Pid     int    `json:"pid"`
	// After is how long after From.
	After time.Duration `json:"afterNanoseconds"`
}

// Argument is one value of one argument.
type Argument struct {
	// Index is 0 to 5. Of clone3, index 0 stands for the flags, which are in memory.
	Index uint `json:"index"`
	// Value is what the register held: 64 bits, or 32 of a 32-bit program, and of an argument
	// that is always recorded if the kernel reads no more.
	Value uint64 `json:"value"`
	First
}

// Join adds the same call of the same container, recorded elsewhere. Who made it first counts.
func (c *Call) Join(other Call) {
	if other.After < c.After {
		c.First = other.First
	}
	for _, a := range other.Arguments {
		i := slices.IndexFunc(c.Arguments, func(old Argument) bool { return old.Index == a.Index && old.Value == a.Value })
		switch {
		case i < 0:
			c.Arguments = append(c.Arguments, a)
		case a.After < c.Arguments[i].After:
			c.Arguments[i] = a
		}
	}
}

// Denied is a call that a filter denied.
type Denied struct {
	Arch  specs.Arch `json:"arch"`
	Name  string     `json:"name"`
	Args  []uint64   `json:"args,omitempty"`
	Count uint64     `json:"count"`
	// Ran is set if the call ran all the same, because the policy only audits: then it is in
	// Calls, too.
	Ran bool `json:"ran,omitempty"`
	// Program made the first.
	Program string `json:"program,omitempty"`
}

// MaxSize is the largest recording that is read, in bytes.
const MaxSize = 64 << 20

// Is reports whether a file is meant as a recording.
func Is(data []byte) bool {
	var head struct {
		Batten *json.RawMessage `json:"battenRecording"`
	}
	return json.Unmarshal(data, &head) == nil && head.Batten != nil
}

// Read reads a recording. It is an error if it is none, or of another version.
func Read(name string, data []byte) (*Recording, error) {
	r := new(Recording)
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%q is no recording: it has more than the %d bytes that Batten reads", name, MaxSize)
	}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%q is no recording: %s", name, misread(data, err))
	}
	switch r.Batten {
	case Version:
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("recording %q: %w", name, err)
		}
		r.clean()
		return r, nil
	case 0:
		return nil, fmt.Errorf("%q is no recording: it has no key battenRecording", name)
	}
	return nil, fmt.Errorf("%q is a recording of version %d; this Batten reads version %d", name, r.Batten, Version)
}

// Write writes r as JSON.
func (r *Recording) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
