package shim

import (
	"fmt"
	"path/filepath"
)

// checkName returns an error if the program was called by the name of one of containerd's
// first shims. `batten install --docker --all-runtimes` puts links with these names on
// containerd's PATH, so that nobody can start the real ones, which bypass Batten. Under the
// name containerd-shim-runc-v2 this shim serves as under its own.
func checkName(program string) error {
	switch name := filepath.Base(program); name {
	case "containerd-shim", "containerd-shim-runc-v1":
		return fmt.Errorf("batten: container refused: the runtime of %s does not go through Batten: name runc, io.containerd.runc.v2 or io.containerd.batten.v2", name)
	}
	return nil
}
