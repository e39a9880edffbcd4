package policy_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// crun has one thread, and makes no getdents64 once the filter is in place.
func TestHangsByRuntime(t *testing.T) {
	p, findings := policy.Parse("p.yaml", []byte("version: 1\n"), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	kills := func(name string) *specs.LinuxSeccomp {
		return &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow,
			Syscalls:      []specs.LinuxSyscall{{Names: []string{name}, Action: specs.ActKill}},
		}
	}
	for _, tt := range []struct {
		call, path, release string
		want                bool
	}{
		{call: "getdents64", want: true},
		{call: "getdents64", path: "/usr/sbin/runc", want: true},
		{call: "getdents64", path: "/usr/bin/crun"},
		{call: "getdents64", path: "/usr/bin/oci", release: "crun 1.8.1"},
		{call: "getdents64", path: "/usr/bin/crun", release: "runc 1.1.5", want: true},
		{call: "openat2", path: "/usr/sbin/runc"},
		{call: "openat2", path: "/usr/sbin/runc", release: "unknown"},
		{call: "openat2", path: "/usr/sbin/runc", release: "runc 1.1.5"},
		{call: "openat2", path: "/usr/sbin/runc", release: "runc 1.3.3", want: true},
		{call: "openat2", path: "/usr/sbin/runc", release: "runc 1.5.2", want: true},
		{call: "keyctl", path: "/usr/sbin/runc", release: "runc 1.5.2"},
	} {
		m := policy.Machine{Runtime: syscalls.Runtime{Path: tt.path, Release: tt.release}}
		o := p.Resolve(policy.Request{ContainerdNamespace: "default"}, kills(tt.call), m)
		if got := strings.Contains(o.Refusal, "hangs the runtime"); got != tt.want {
			t.Errorf("%+v: refusal %q", tt, o.Refusal)
		}
	}
}
