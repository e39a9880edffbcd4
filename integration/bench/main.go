package main

import (
	"flag"
	"os"

	"github.com/batten-runtime/batten/integration/node"
)

func main() {
	rounds := flag.Int("rounds", 40, "interleaved rounds of each comparison")
	engine := flag.String("engine", "containerd-2.4", "engine to measure on")
	parts := flag.String("parts", "runc,crun,floor,observe,redis,memory,size,rewrite,wrapper", "what to measure; seen is the starts of observe alone; record, and pods and crowd, on a Kubernetes node, not with others")
	other := flag.String("other", "", "`directory` of another build's binaries, to set this one's beside; nothing else is measured then")
	flag.Parse()
	os.Exit(node.Main(func(p *node.Program) {
		(&bench{Program: p, engine: *engine, rounds: *rounds, parts: *parts, other: *other}).play()
	}))
}
