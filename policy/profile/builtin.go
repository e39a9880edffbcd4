package profile

import (
	"github.com/containerd/containerd/v2/contrib/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// RuntimeDefault is containerd's own default profile (contrib/seccomp of the
// containerd module that go.mod names), widened by the container's bounding
// set and chosen by kernel and architecture as containerd does it.
func RuntimeDefault(bounding []string) specs.LinuxSeccomp {
	return *seccomp.DefaultProfile(&specs.Spec{
		Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: bounding}},
	})
}
