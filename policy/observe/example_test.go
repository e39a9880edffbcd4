package observe_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleProfile() {
	out, err := observe.Profile(observe.Request{
		Seccomp: specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
			Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl", "write"}, Action: specs.ActErrno}},
		},
		ListenerPath: "/run/listener.sock",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(profile.Encode(out.Seccomp)))
	for _, u := range out.Unseen {
		fmt.Println(u.Name, u.Why)
	}
	// Output:
	// {"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"listenerPath":"/run/listener.sock","syscalls":[{"names":["write"],"action":"SCMP_ACT_ERRNO"},{"names":["keyctl"],"action":"SCMP_ACT_NOTIFY"}]}
	// write runtimes refuse SCMP_ACT_NOTIFY on write
}
