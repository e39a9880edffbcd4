package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// blocks are the drop-ins that are measured.
var blocks = []string{"af-alg", "io-uring", "user-namespaces"}

// rewriteUnderDropIns is the time from Create received to Create delegated without drop-ins and
// with three of deploy/policies/blocks, each container in a shim of its own.
func (b *bench) rewriteUnderDropIns() {
	n := node.Start(b, b.engine)
	dir := filepath.Join(n.Etc, "policy.d")
	for range 5 * b.rounds {
		for _, with := range []bool{false, true} {
			if err := os.RemoveAll(dir); err != nil {
				b.Fatal(err)
			}
			if with {
				b.block(dir)
			}
			c, err := n.Start(node.Run{Runtime: node.Batten})
			if err != nil {
				b.Fatal(err)
			}
			c.Remove()
			time.Sleep(50 * time.Millisecond) // the shim before has ended
		}
	}
	var times [2][]float64
	for i, t := range delegated(n.Log()) {
		times[i%2] = append(times[i%2], t)
	}
	fmt.Printf("\n| Create received to Create delegated, %d shims each | median ms | p90 ms | p99 ms |\n| --- | --- | --- | --- |\n", 5*b.rounds)
	for i, what := range []string{"the default forced", fmt.Sprintf("the same beside %d drop-ins", len(blocks))} {
		fmt.Printf("| %s | %.2f | %.2f | %.2f |\n", what, median(times[i]), quantile(times[i], 0.9), quantile(times[i], 0.99))
	}
}

// block puts the drop-ins into a directory.
func (b *bench) block(dir string) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	for _, name := range blocks {
		file := name + ".yaml"
		text, err := os.ReadFile(filepath.Join(node.Root(), "deploy/policies/blocks", file))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), text, 0o644)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
