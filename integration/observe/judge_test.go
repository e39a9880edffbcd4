package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/strace"
	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// judge says of each call what RuntimeDefault does with it, as libseccomp compiles it, and
// whether a listener is notified of that.
type judge struct {
	profile *filter.Program
	twins   map[mode]twin
}

// twin is an observing profile, and what libseccomp makes of it.
type twin struct {
	*observe.Observed
	program *filter.Program
}

func judgeOf(t *testing.T, capabilities []string) *judge {
	t.Helper()
	spec, err := oci.GenerateSpec(namespaces.WithNamespace(context.Background(), "judge"), nil,
		&containers.Container{ID: "judge"}, oci.WithAddedCapabilities(capabilities))
	if err != nil {
		t.Fatal(err)
	}
	s := profile.RuntimeDefault(spec.Process.Capabilities.Bounding)
	j := &judge{profile: compile(t, s), twins: make(map[mode]twin)}
	for m, asked := range map[mode]observe.Mode{counted: observe.Count, audited: observe.Audit} {
		o, err := observe.Profile(observe.Request{Seccomp: s, Mode: asked, Runtime: filter.Linked(), ListenerPath: "/listener"})
		if err != nil {
			t.Fatal(err)
		}
		j.twins[m] = twin{o, compile(t, o.Seccomp)}
	}
	return j
}

func compile(t *testing.T, s specs.LinuxSeccomp) *filter.Program {
	t.Helper()
	p, err := filter.Compile(&s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// verdict is what of the strace.Call calls of a run the profile denies.
type verdict struct {
	// seen are the kinds that a listener is notified of, unseen those that it is not.
	seen, unseen kinds
	// broken are calls that a listener is notified of, and that a signal interrupted or ended:
	// before the answer, so that they do not count, or after it.
	broken kinds
}

// is reports whether a log has what was seen.
func (v verdict) is(log kinds) bool {
	for name, n := range log {
		if n < v.seen[name] || n > v.seen[name]+v.broken[name] {
			return false
		}
	}
	for name := range v.seen {
		if log[name] == 0 {
			return false
		}
	}
	return true
}

// kinds judges the strace.Call calls. A run under the profile or its twin shows that each that is
// denied has failed as the profile says.
func (j *judge) kinds(t *testing.T, r ran) verdict {
	t.Helper()
	v := verdict{seen: make(kinds), unseen: make(kinds), broken: make(kinds)}
	enforced := r.mode == silent || r.mode == counted
	twin := j.twins[audited]
	if enforced {
		twin = j.twins[counted]
	}
	for _, c := range r.calls {
		says, notified := run(t, j.profile, c.Call), run(t, twin.program, c.Call)
		isNotified := notified.Action == unix.SECCOMP_RET_USER_NOTIF
		if !says.Denies() {
			if isNotified {
				t.Errorf("a listener is notified of %s, which the profile allows", j.kind(c))
			}
			continue
		}
		if says.Action != unix.SECCOMP_RET_ERRNO {
			t.Fatalf("%s: %s is for no test here", j.kind(c), says)
		}
		broken := strings.HasPrefix(c.Result, "?") || strings.Contains(c.Result, "ERESTART") // it is made again
		if enforced && c.Errno != unix.Errno(says.Data) && !broken {
			t.Errorf("%s, %s = %s", r.mode, j.kind(c), c.Result)
		}
		switch {
		case isNotified && broken:
			v.broken[j.kind(c)]++
			continue
		case isNotified:
			v.seen[j.kind(c)]++
			continue
		}
		v.unseen[j.kind(c)]++
		if !slices.ContainsFunc(twin.Unseen, func(u observe.Unseen) bool {
			return (u.Name == c.Name || u.Name == "") && slices.Contains(u.Arches, c.Arch)
		}) {
			t.Errorf("no listener is notified of %s, and Unseen does not say so", j.kind(c))
		}
	}
	return v
}

func run(t *testing.T, p *filter.Program, c bpf.Call) filter.Result {
	t.Helper()
	r, err := p.Run(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// result names the errno with which the profile denies a call.
func (j *judge) result(t *testing.T, c strace.Call) string {
	t.Helper()
	return unix.ErrnoName(unix.Errno(run(t, j.profile, c.Call).Data))
}

// kind names the calls that are counted together.
func (j *judge) kind(c strace.Call) string {
	var args []string
	for _, i := range j.twins[audited].Arguments(c.Call) {
		args = append(args, fmt.Sprintf("arg%d=%#x", i, c.Args[i]))
	}
	name := c.Name
	if name == "" {
		name = fmt.Sprint(c.Nr)
	}
	if c.Arch != specs.ArchX86_64 {
		name = strings.ToLower(strings.TrimPrefix(string(c.Arch), "SCMP_ARCH_")) + " " + name
	}
	return fmt.Sprintf("%s(%s)", name, strings.Join(args, ", "))
}

// logged is the call that a line of the log is about.
func logged(arch specs.Arch, name string, args [6]uint64) (c strace.Call, err error) {
	nr, ok := syscalls.Number(arch, name)
	if _, err := fmt.Sscan(name, &nr); !ok && err != nil {
		return c, fmt.Errorf("there is no call %q on %s", name, arch)
	}
	if !ok {
		name = ""
	}
	return strace.Call{Call: bpf.Call{Arch: strace.AuditArch[arch], Nr: uint32(nr), Args: args}, Arch: arch, Name: name}, nil
}
