//go:build !amd64

package profile

import (
	"github.com/containerd/containerd/v2/contrib/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// runtimeDefault asks containerd: the generated parts are amd64's only.
func runtimeDefault(bounding []string) specs.LinuxSeccomp {
	return *seccomp.DefaultProfile(&specs.Spec{
		Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: bounding}},
	})
}
