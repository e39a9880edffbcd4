package suggest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/policy/syscalls"
	"golang.org/x/sys/unix"
)

// Calls that do the same to other processes are dangerous alike.
func TestDangers(t *testing.T) {
	for name, want := range map[string]Danger{
		"move_pages": pages, "migrate_pages": pages,
		"pidfd_getfd": {"takes open files from other processes", "pidfd_getfd(2)"},
	} {
		if got := dangerOf(&Call{Name: name}); got == nil || *got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := dangerOf(&Call{Name: "mbind"}); got != nil {
		t.Errorf("control: got %v", got)
	}
}

func TestCapabilities(t *testing.T) {
	for _, tt := range []struct {
		name     string
		bounding []string
		call     denials.Denial
		want     string
	}{
		{name: "mount", call: denial("mount"), want: "CAP_SYS_ADMIN"},
		{name: "two do", call: denial("syslog"), want: "CAP_SYS_ADMIN CAP_SYSLOG"},
		{name: "arguments", call: looked("clone", unix.CLONE_NEWUSER), want: "CAP_SYS_ADMIN"},
		{name: "none does", call: denial("add_key")},
		{name: "allowed anyway", call: denial("read")},
		{name: "it has the capability", bounding: []string{"CAP_SYS_ADMIN"}, call: denial("mount")},
	} {
		a, err := For(Question{Base: small, Bounding: tt.bounding, Denials: []denials.Denial{tt.call}, Dangerous: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range slices.Concat(a.Open, a.Leave, a.Closed) {
			slices.Sort(c.Capabilities)
			if got := strings.Join(slices.Sorted(slices.Values(strings.Fields(tt.want))), " "); strings.Join(c.Capabilities, " ") != got {
				t.Errorf("%s: got %q, want %s", tt.name, c.Capabilities, got)
			}
		}
	}
}

// The tables name system calls.
func TestTables(t *testing.T) {
	for _, name := range slices.Concat(slices.Collect(maps.Keys(dangers)), slices.Collect(maps.Keys(syscalls.Fallbacks)), slices.Collect(maps.Keys(survived))) {
		if !syscalls.IsSyscall(name) {
			t.Errorf("%s is no system call", name)
		}
	}
}
