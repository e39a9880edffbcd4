package names_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/names"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
)

// containerd finds the shim's binary by the runtime type, and the commands are built under
// the names that engines are told.
func TestNames(t *testing.T) {
	if got := containerdshim.BinaryName(names.RuntimeType); got != names.Shim {
		t.Errorf("containerd runs %s for %s, and the binary is %s", got, names.RuntimeType, names.Shim)
	}
	for _, name := range []string{names.Shim, names.Wrapper} {
		if _, err := os.Stat(filepath.Join("../../cmd", name, "main.go")); err != nil {
			t.Errorf("no command has the name %s: %v", name, err)
		}
	}
}
