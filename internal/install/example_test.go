package install_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/install"
)

func Example() {
	dir, err := os.MkdirTemp("", "install-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	plan, err := install.Podman(install.Options{
		Default: true, Bin: "/usr/local/bin",
		Config: filepath.Join(dir, "batten.conf"), Dir: filepath.Join(dir, "state"),
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s", plan.After)
	// Output:
	// # Written by batten install; batten uninstall removes it.
	// [engine]
	// runtime = "batten-runc"
	// [engine.runtimes]
	// batten-runc = ["/usr/local/bin/batten-runc"]
}
