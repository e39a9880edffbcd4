// Command containerd-shim-batten-v2 is a containerd runtime v2 shim that holds
// every container to the node's seccomp policy and leaves the rest to
// containerd's runc shim.
package main

import (
	"context"
	"os"

	"github.com/batten-runtime/batten/shim"
)

func main() {
	os.Exit(shim.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
