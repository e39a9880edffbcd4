package version_test

import (
	"os"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/version"
)

// A build without the linker's flag says so, and the flag in the Makefile names the variable:
// the linker does not complain about a name that is not there.
func TestVersion(t *testing.T) {
	if version.Version != "devel" {
		t.Errorf("got %q, want devel", version.Version)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if flag := "-X github.com/batten-runtime/batten/internal/version.Version="; !strings.Contains(string(makefile), flag) {
		t.Errorf("the Makefile does not set it by %s", flag)
	}
}
