package profile

import specs "github.com/opencontainers/runtime-spec/specs-go"

// RuntimeDefault is containerd's own default profile (contrib/seccomp of the
// containerd module that go.mod names), widened by the container's bounding
// set and chosen by kernel and architecture as containerd does it. It is the
// caller's to change, but for the rules' own contents.
func RuntimeDefault(bounding []string) specs.LinuxSeccomp { return runtimeDefault(bounding) }
