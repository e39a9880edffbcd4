// Command demo shows Batten's main job on a private containerd, step by step,
// and fails if any step is not as promised.
package main

import (
	"os"

	"github.com/batten-runtime/batten/integration/node"
)

func main() {
	os.Exit(node.Main(func(p *node.Program) { (&demo{p}).play() }))
}
