package floor_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleFloor() {
	denies := func(name string) specs.LinuxSeccomp {
		return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{
			Names: []string{name}, Action: specs.ActErrno,
		}}}
	}
	out, _, err := floor.Floor(denies("keyctl"), denies("bpf"), floor.Limits{})
	fmt.Println(string(profile.Encode(out.Seccomp)), err)
	// Output:
	// {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bpf","keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]} <nil>
}
