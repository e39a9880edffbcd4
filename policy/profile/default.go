package profile

import specs "github.com/opencontainers/runtime-spec/specs-go"

// RuntimeDefault returns containerd's own default profile (contrib/seccomp of the
// containerd module that go.mod names), widened by the container's bounding
// set and chosen by kernel and architecture as containerd does it. The caller may change
// the result, but not the contents of its rules.
func RuntimeDefault(bounding []string) specs.LinuxSeccomp { return runtimeDefault(bounding) }
