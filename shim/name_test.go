package shim

import "testing"

func TestCheckName(t *testing.T) {
	for _, tt := range []struct{ program, want string }{
		{program: "/usr/local/bin/containerd-shim-batten-v2"},
		{program: "/etc/batten/shims/containerd-shim-runc-v2"},
		{
			program: "/etc/batten/shims/containerd-shim-runc-v1",
			want:    "batten: container refused: the runtime of containerd-shim-runc-v1 does not go through Batten: name runc, io.containerd.runc.v2 or io.containerd.batten.v2",
		},
		{
			program: "containerd-shim",
			want:    "batten: container refused: the runtime of containerd-shim does not go through Batten: name runc, io.containerd.runc.v2 or io.containerd.batten.v2",
		},
	} {
		got := ""
		if err := checkName(tt.program); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.program, got, tt.want)
		}
	}
}
