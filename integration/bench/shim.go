package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// settled is when the shims' memory is looked at: they give back what starting
// took every half minute (setRuntime in containerd's pkg/shim), and stay for
// as long as the container does.
const settled = 35 * time.Second

// memory sets the shims' private dirty memory side by side, while a container
// runs: just started, and settled.
func (b *bench) memory(n *node.Node) {
	runtimes := []string{node.Stock, node.Batten}
	var pids [2][]int
	for range b.rounds {
		for i, runtime := range runtimes {
			c, err := n.Start(node.Run{Runtime: runtime})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Remove()
			pids[i] = append(pids[i], c.ShimPid())
		}
	}
	fmt.Printf("\n| private dirty memory of a shim | stock KiB | Batten KiB | ratio (quartiles) | goal |\n| --- | --- | --- | --- | --- |\n")
	b.dirty("just started", pids, "")
	time.Sleep(settled)
	b.dirty("settled", pids, "≤ 1.05")
}

func (b *bench) dirty(when string, pids [2][]int, goal string) {
	var kib [2][]float64
	for i := range pids {
		for _, pid := range pids[i] {
			dirty, err := node.PrivateDirty(pid)
			if err != nil {
				b.Fatal(err)
			}
			kib[i] = append(kib[i], float64(dirty))
		}
	}
	fmt.Printf("| %s | %.0f | %.0f | %s | %s |\n", when, median(kib[0]), median(kib[1]), ratio(kib[1], kib[0]), goal)
}

func (b *bench) size() {
	fmt.Printf("\n| stripped size | MB | goal |\n| --- | --- | --- |\n")
	for _, path := range []string{node.StockShim(b.engine), node.Shim(b)} {
		goal := ""
		if path == node.Shim(b) {
			goal = "≤ 16"
		}
		fmt.Printf("| %s | %.1f | %s |\n", filepath.Base(path), b.megabytes(path), goal)
	}
}

// rewrite is the time from Create received to Create delegated, as the shim
// logs it, over many fresh shims.
func (b *bench) rewrite() {
	fmt.Printf("\n| Create received to Create delegated, %d fresh shims | median ms | p90 ms | p99 ms | goal for p99 |\n| --- | --- | --- | --- | --- |\n", 5*b.rounds)
	for _, tt := range []struct{ name, policy, goal string }{
		{"default policy", "", "< 1"},
		{"1,000 rules, none matching", manyRules(1000), "< 3"},
	} {
		n := node.Start(b, b.engine)
		if tt.policy != "" {
			if err := os.WriteFile(filepath.Join(n.Etc, "policy.yaml"), []byte(tt.policy), 0o644); err != nil {
				b.Fatal(err)
			}
		}
		for range 5 * b.rounds {
			c, err := n.Start(node.Run{Runtime: node.Batten})
			if err != nil {
				b.Fatal(err)
			}
			c.Remove()
			time.Sleep(50 * time.Millisecond) // the shim before has ended
		}
		took := delegated(n.Log())
		fmt.Printf("| %s | %.2f | %.2f | %.2f | %s |\n", tt.name, median(took), quantile(took, 0.9), quantile(took, 0.99), tt.goal)
	}
}

var tookField = regexp.MustCompile(`batten: delegating Create.* took="?([^" \n]+)`)

func delegated(log string) []float64 {
	var out []float64
	for _, m := range tookField.FindAllStringSubmatch(log, -1) {
		if d, err := time.ParseDuration(m[1]); err == nil {
			out = append(out, float64(d.Microseconds())/1000)
		}
	}
	return out
}

func manyRules(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\nrules:\n")
	for i := range n {
		fmt.Fprintf(&b, "- name: rule %d\n  match: {pod: {namespace: [ns-%d-*], name: [\"app-*\", job-%d]}, container: [main]}\n  absent: Deny\n", i, i, i)
	}
	return b.String()
}

func median(v []float64) float64 { return quantile(v, 0.5) }

func quantile(v []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// ratio is that of the medians, and the quartiles of the ratios pair by pair.
func ratio(a, base []float64) string {
	pairs := make([]float64, len(a))
	for i := range a {
		pairs[i] = a[i] / base[i]
	}
	return fmt.Sprintf("**%.3f** (%.3f to %.3f)", median(a)/median(base), quantile(pairs, 0.25), quantile(pairs, 0.75))
}
