package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// otherType is the runtime type under which the node finds another build of the shim.
const otherType = "io.containerd.other.v2"

// versions sets this build's shim beside another build's, in the same rounds: starts,
// private memory and size.
func (b *bench) versions(n *node.Node) {
	shim := filepath.Join(b.other, "containerd-shim-batten-v2")
	if err := os.Symlink(shim, filepath.Join(n.Bin, "containerd-shim-other-v2")); err != nil {
		b.Fatal(err)
	}
	as := func(runtime, name, policy string, spec oci.SpecOpts) variant {
		v := underPolicy(name, "", policy, node.WithOldSpec, spec)
		v.run.Runtime = runtime
		return v
	}
	heading("Create sent to Start returned, runc")
	for _, what := range []struct {
		name, policy string
		spec         oci.SpecOpts
	}{
		{"default profile forced", "auto", node.WithOldSpec},
		{"default profile asked for and kept", "auto", seccomp.WithDefaultProfile()},
		{"asked for, under a floor", "denies", seccomp.WithDefaultProfile()},
		{"`absent: Unconfined`", "unconfined", node.WithOldSpec},
	} {
		b.compare(n, comparison{
			base:  as(otherType, "other build, "+what.name, what.policy, what.spec),
			under: []variant{as(node.Batten, "this build, "+what.name, what.policy, what.spec)},
			goals: []string{"", ""},
		}, b.createToStart, 0)
	}

	fmt.Printf("\n| private dirty memory of a shim | other KiB | this KiB | ratio (quartiles) | goal |\n| --- | --- | --- | --- | --- |\n")
	var pids [2][]int
	for range b.rounds {
		for i, runtime := range []string{otherType, node.Batten} {
			c, err := n.Start(node.Run{Runtime: runtime})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Remove()
			pids[i] = append(pids[i], c.ShimPid())
		}
	}
	time.Sleep(settled)
	b.dirty("settled", pids, "")

	fmt.Printf("\n| stripped size | other MB | this MB |\n| --- | --- | --- |\n")
	for _, name := range []string{"containerd-shim-batten-v2", "batten-runc", "batten"} {
		fmt.Printf("| %s | %.2f | %.2f |\n", name, b.megabytes(filepath.Join(b.other, name)), b.megabytes(filepath.Join(filepath.Dir(node.Shim(b)), name)))
	}
}

func (b *bench) megabytes(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / 1e6
}
