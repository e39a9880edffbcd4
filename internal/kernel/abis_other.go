//go:build !(linux && (amd64 || arm64))

package kernel

import "github.com/batten-runtime/batten/policy/profile"

// ABIs returns that nothing was probed: the ABIs that Batten can probe are those of x86 and of ARM.
func ABIs() profile.ABIs { return profile.ABIs{} }
