package observe_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/observe"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// verdict is what is wrong with the twin of a profile; it is empty if nothing is.
type verdict struct {
	wrong        string
	skipped      string // why nothing was judged
	instructions [2]int // of the profile, and its twin
	unseen       int
}

// judge makes the twin of a profile, compiles both and compares them by the prover.
func judge(t *testing.T, s specs.LinuxSeccomp, mode observe.Mode) (v verdict) {
	t.Helper()
	own, err := filter.Compile(&s)
	if err != nil {
		v.skipped = "libseccomp refuses the profile"
		return v
	}
	out, err := observe.Profile(request(s, mode))
	if err != nil {
		v.skipped = err.Error()
		return v
	}
	twin, err := filter.Compile(&out.Seccomp)
	if err != nil {
		v.wrong = "libseccomp refuses the twin: " + err.Error()
		return v
	}
	v.instructions, v.unseen = [2]int{len(own.Instructions), len(twin.Instructions)}, len(out.Unseen)
	if n := len(twin.Instructions); n > filter.MaxInstructions || n > out.Instructions {
		v.wrong = fmt.Sprintf("%d instructions, estimated as %d", n, out.Instructions)
		return v
	}
	if mode == observe.Count {
		v.wrong = judgeCount(t, own, twin)
	}
	v.wrong += judgeCells(t, own, twin, out, mode)
	return v
}

// judgeCount: with NOTIFY read as the listener's answer, the twin is the profile.
func judgeCount(t *testing.T, own, twin *filter.Program) string {
	t.Helper()
	answered := twin.Answered(filter.Answers{Errnos: own})
	w, err := filter.Equal(filter.Stack{own}, filter.Stack{answered})
	if err != nil {
		t.Fatal(err)
	}
	if w != nil {
		return "not equal: " + w.String() + "\n"
	}
	w, err = filter.Subsumes(filter.Stack{own}, filter.Stack{answered})
	if err != nil || w != nil {
		return "looser\n"
	}
	return ""
}

// judgeCells holds the twin to the profile wherever they differ: it must notify of what the
// profile denies, or list it; the answers must be the profile's.
func judgeCells(t *testing.T, own, twin *filter.Program, out *observe.Observed, mode observe.Mode) (wrong string) {
	t.Helper()
	cells, err := filter.Pairs(filter.Stack{own}, filter.Stack{twin})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cells {
		seen := c.First.Action == unix.SECCOMP_RET_ERRNO || mode == observe.Audit && c.First.Denies()
		notified := c.Second.Action == unix.SECCOMP_RET_USER_NOTIF
		switch {
		case notified && !seen && lists(out, c.Arch, c.Syscall) && c.First.Denies(): // an architecture that is added
		case notified && !seen:
			wrong += "notified of what is not denied: " + c.String() + "\n"
		case notified:
			wrong += answers(own, out, c)
		case seen && !lists(out, c.Arch, c.Syscall):
			wrong += "neither notified of nor listed: " + c.String() + "\n"
		case seen && mode == observe.Audit && c.Second.Denies() && !killed(out, c.Arch) && c.Call.Nr < 1<<31:
			wrong += "denied in an audit: " + c.String() + "\n"
		case !seen && c.First != c.Second && !lists(out, c.Arch, c.Syscall):
			wrong += "another outcome: " + c.String() + "\n"
		}
	}
	return wrong
}

// answers compares the listener's answer with what the compiled profile says, at a call and
// at calls near it.
func answers(own *filter.Program, out *observe.Observed, c filter.Witness) string {
	if out.Seccomp.Architectures != nil && !lists(out, c.Arch, "") {
		outcome, ok := out.Answer(c.Call)
		if want := c.First.String(); !ok || outcome.String() != "SCMP_ACT_"+want {
			return "answered with " + outcome.String() + ": " + c.String() + "\n"
		}
		if c.First.Action == unix.SECCOMP_RET_ERRNO && out.Errno(c.Call) != c.First.Data {
			return "another errno: " + c.String() + "\n"
		}
	}
	return ""
}

var archOf = map[string]specs.Arch{"amd64": specs.ArchX86_64, "x86": specs.ArchX86, "x32": specs.ArchX32}

// lists reports whether Unseen has a call; or, without a name, an architecture that the
// profile kills.
func lists(out *observe.Observed, arch, name string) bool {
	return slices.ContainsFunc(out.Unseen, func(u observe.Unseen) bool {
		on := slices.Contains(u.Arches, archOf[arch])
		if u.Name == "" && strings.Contains(u.Why, "does not list") {
			return on
		}
		if u.Name == "" {
			return strings.Contains(u.Why, "no name") && (name == "" || !filter.Linked().Knows(name) || arch == "x32" && slices.Contains(observe.NotOnX32, name))
		}
		return on && name == u.Name
	}) || arch == "other"
}

// killed reports whether the twin kills programs of an architecture.
func killed(out *observe.Observed, arch string) bool {
	return arch == "other" || slices.ContainsFunc(out.Unseen, func(u observe.Unseen) bool {
		return slices.Contains(u.Arches, archOf[arch]) && strings.HasSuffix(u.Why, "are killed")
	})
}
