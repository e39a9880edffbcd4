package block_test

import (
	"slices"
	"testing"

	"github.com/batten-runtime/batten/internal/block"
)

// What does the same, and is not blocked, is named.
func TestBeside(t *testing.T) {
	for _, tt := range []struct {
		calls []string
		want  []string
	}{
		{calls: []string{"clone(CLONE_NEWUSER)"}, want: []string{"clone3", "unshare"}},
		{calls: []string{"recvmsg"}, want: []string{"recvmmsg", "recvfrom", "recv", "recvmmsg_time64", "io_uring_setup"}},
		{calls: []string{"fcntl"}, want: []string{"fcntl64"}},
		{calls: []string{"unshare(CLONE_NEWUSER)", "clone(CLONE_NEWUSER)", "clone3"}},
		{calls: []string{"unshare"}},
		{calls: []string{"setgroups"}, want: []string{"setgroups32"}},
		{calls: []string{"pipe"}, want: []string{"pipe2"}},
		{calls: []string{"splice"}, want: []string{"sendfile", "sendfile64", "io_uring_setup"}},
		{calls: []string{"mount"}, want: []string{"fsopen", "fsmount", "move_mount"}},
		{calls: []string{"init_module"}, want: []string{"finit_module"}},
		{calls: []string{"socket(AF_ALG)"}, want: []string{"io_uring_setup"}},
		{calls: []string{"socket(AF_ALG)", "io_uring_setup"}},
		{calls: []string{"socket(AF_PACKET)", "io_uring_setup"}, want: []string{"socket(AF_INET, SOCK_PACKET)"}},
		{calls: []string{"socket(AF_PACKET)", "socket(AF_INET, SOCK_PACKET)", "io_uring_setup"}},
		{calls: []string{"socket(AF_PACKET, SOCK_RAW)", "io_uring_setup"}},
		{calls: []string{"socket", "io_uring_setup"}, want: []string{"socketpair"}},
		{calls: []string{"socket(AF_UNIX)", "io_uring_setup"}, want: []string{"socketpair(AF_UNIX)"}},
		{calls: []string{"socket(AF_UNIX)", "socketpair", "io_uring_setup"}},
		{calls: []string{"seccomp"}, want: []string{"prctl(PR_SET_SECCOMP)"}},
		{calls: []string{"seccomp", "prctl"}},
		{calls: []string{"prctl(PR_SET_SECCOMP)"}, want: []string{"seccomp"}},
	} {
		if got := block.Beside(parse(t, tt.calls...)); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.calls, got, tt.want)
		}
	}
}
