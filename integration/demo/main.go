package main

import (
	"os"

	"github.com/batten-runtime/batten/integration/node"
)

func main() {
	os.Exit(node.Main(func(p *node.Program) { (&demo{p}).play() }))
}
