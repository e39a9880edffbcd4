package syscalls_test

import (
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/syscalls"
)

func TestSiblings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		arches syscalls.ArchSet
		want   []string
	}{
		{
			name: "chmod", arches: syscalls.OnX8664,
			want: []string{"fchmod", "fchmodat", "fchmodat2"},
		},
		{name: "fchmodat", arches: syscalls.OnAarch64, want: []string{"fchmod", "fchmodat2"}},
		{name: "clone", arches: syscalls.OnX8664, want: []string{"clone3"}},
		{name: "clone3", arches: syscalls.OnX8664, want: []string{"clone"}},
		{name: "openat", arches: syscalls.OnX8664, want: []string{"open", "openat2", "creat"}},
		{name: "rmdir", arches: syscalls.OnX8664, want: []string{"unlinkat"}},
		{name: "unlinkat", arches: syscalls.OnX8664, want: []string{"unlink"}},
		{name: "ptrace", arches: syscalls.OnX8664},
		{name: "keyctl", arches: syscalls.OnX8664},
	} {
		if got := syscalls.Siblings(tt.name, tt.arches); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
