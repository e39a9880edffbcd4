// Command batten-runc is an OCI runtime that holds containers to the node
// policy and hands over to runc or crun.
package main

import (
	"os"

	"github.com/batten-runtime/batten/shim/runc"
)

func main() {
	os.Exit(runc.Main(os.Args[0], os.Args[1:], os.Stderr))
}
