package status_test

import (
	"fmt"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/policy"
)

func Example() {
	host := procfs.Process{Pid: 1, Mounts: "mnt:[1]", Pids: procfs.HostPidNamespace}
	shim := procfs.Process{Pid: 10, Parent: 1, Name: "containerd-shim-runc-v2", Mounts: "mnt:[1]", Pids: procfs.HostPidNamespace}
	nginx := procfs.Process{Pid: 11, Parent: 10, Name: "nginx", Cgroup: "/default/web", Mounts: "mnt:[2]", Pids: "pid:[2]"}
	judge := status.Judge{
		Policy: func(string) (*policy.Policy, error) {
			p, findings := policy.Parse(policy.BuiltinPath, []byte(policy.Builtin), nil)
			return p, findings.Err()
		},
		Machine: func(string) policy.Machine { return policy.Machine{} },
	}
	for _, c := range status.Find(map[int]procfs.Process{1: host, 10: shim, 11: nginx}, nil).Containers {
		fmt.Println(c.ID, c.Seccomp, judge.Judge(&c).Text)
	}
	// Output:
	// web 0 bypasses Batten; runs with no filter, and today's policy would not have it: it asks for no seccomp filter, and the policy's top level says absent: RuntimeDefault
}
