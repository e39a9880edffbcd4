// Command batten-runc is an OCI runtime that holds containers to the node
// policy and hands over to runc or crun.
package main

import (
	"os"

	"github.com/batten-runtime/batten/shim/ociruntime"
)

func main() {
	os.Exit(ociruntime.Main(os.Args[1:], os.Stderr))
}
