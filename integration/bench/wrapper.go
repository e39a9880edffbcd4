package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// routes sets the two ways to Batten beside each other and beside stock: its shim,
// and containerd's own shim with batten-runc for a runtime.
func (b *bench) routes(n *node.Node) {
	wrapper := filepath.Join(n.Bin, "batten-runc")
	b.handsOverTo(n)
	heading("Create sent to Start returned, by shim and by wrapper")
	stock := variant{name: "stock, default profile asked for", run: node.Run{Runtime: node.Stock, Spec: []oci.SpecOpts{seccomp.WithDefaultProfile()}}}
	byWrapper := variant{name: "batten-runc forcing it", run: node.Run{Runtime: node.Stock, Options: &options.Options{BinaryName: wrapper}}}
	b.compare(n, comparison{stock, []variant{underPolicy("Batten's shim forcing it", "", "auto"), byWrapper}, []string{"", "", "", ""}}, b.createToStart, 0)

	fmt.Printf("\n| private dirty memory of a shim, settled | KiB |\n| --- | --- |\n")
	pids := make(map[string][]int)
	ways := []variant{{name: "stock", run: node.Run{Runtime: node.Stock}}, {name: "Batten's shim", run: node.Run{Runtime: node.Batten}}, byWrapper}
	for range b.rounds {
		for _, v := range ways {
			c, err := n.Start(v.run)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Remove()
			pids[v.name] = append(pids[v.name], c.ShimPid())
		}
	}
	time.Sleep(settled)
	for _, v := range ways {
		var kib []float64
		for _, pid := range pids[v.name] {
			dirty, err := node.PrivateDirty(pid)
			if err != nil {
				b.Fatal(err)
			}
			kib = append(kib, float64(dirty))
		}
		fmt.Printf("| %s | %.0f |\n", v.name, median(kib))
	}
}

// handsOverTo makes batten-runc hand over to the node's runc.
func (b *bench) handsOverTo(n *node.Node) {
	if err := os.WriteFile(filepath.Join(n.Etc, "runc.toml"), fmt.Appendf(nil, "Runtime = %q\n", n.Runtime()), 0o644); err != nil {
		b.Fatal(err)
	}
}

// commands is what batten-runc adds to the command line of runc.
func (b *bench) commands(n *node.Node) {
	b.handsOverTo(n)
	bundle := b.bundle(n)
	root := filepath.Join(n.Dir, "runc-root")
	call := func(binary string, args ...string) time.Duration {
		cmd := n.Command(append([]string{binary, "--root", root}, args...)...)
		began := time.Now()
		// Without pipes: what is detached would hold their ends.
		if err := cmd.Run(); err != nil && args[0] != "delete" {
			b.Fatal(binary, args, ": ", err)
		}
		return time.Since(began)
	}
	binaries := []string{"runc", "batten-runc"}
	serial := 0
	fresh := func() string {
		serial++
		id := fmt.Sprintf("%s-%d", filepath.Base(n.Dir), serial)
		b.Cleanup(func() { _ = n.Command("runc", "--root", root, "delete", "--force", id).Run() })
		return id
	}
	pidFile := filepath.Join(n.Dir, "pid") // every engine names one
	standing := fresh()
	call("runc", "create", "--bundle", bundle, standing)
	fmt.Printf("\n| batten-runc against runc | runc ms | batten-runc ms | more, ms | goal |\n| --- | --- | --- | --- | --- |\n")
	for _, what := range []struct {
		name, goal string
		once       func(binary string) time.Duration
	}{
		{"state", "< 3", func(binary string) time.Duration { return call(binary, "state", standing) }},
		{"run, its profile kept", "< 5", func(binary string) time.Duration {
			id := fresh()
			defer call(binary, "delete", "--force", id)
			return call(binary, "run", "--detach", "--pid-file", pidFile, "--bundle", bundle, id)
		}},
		{"start", "< 2", func(binary string) time.Duration {
			id := fresh()
			call(binary, "create", "--pid-file", pidFile, "--bundle", bundle, id)
			defer call(binary, "delete", "--force", id)
			return call(binary, "start", id)
		}},
	} {
		var times [2][]float64
		for round := range b.rounds + 2 {
			for k := range binaries {
				i := (k + round) % 2
				took := what.once(binaries[i])
				if round >= 2 {
					times[i] = append(times[i], float64(took.Microseconds())/1000)
				}
			}
		}
		fmt.Printf("| %s | %.1f | %.1f | **%.1f** | %s |\n", what.name, median(times[0]), median(times[1]), median(times[1])-median(times[0]), what.goal)
	}
}

// bundle is one of the test image that brings the default profile.
func (b *bench) bundle(n *node.Node) string {
	dir := filepath.Join(n.Dir, "bundle")
	rootfs := filepath.Join(dir, "rootfs")
	if err := os.MkdirAll(rootfs, 0o755); err != nil {
		b.Fatal(err)
	}
	if out, err := n.Command("tar", "-C", rootfs, "-xf", node.Rootfs(b)).CombinedOutput(); err != nil {
		b.Fatal(string(out))
	}
	if out, err := n.Command("runc", "spec", "--bundle", dir).CombinedOutput(); err != nil {
		b.Fatal(string(out))
	}
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	var spec specs.Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		b.Fatal(err)
	}
	spec.Process.Terminal, spec.Process.Args, spec.Process.Rlimits = false, []string{"/probe", "pause"}, nil
	spec.Linux.CgroupsPath = ""
	spec.Linux.Seccomp = seccomp.DefaultProfile(&spec)
	if data, err = json.Marshal(spec); err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
	return dir
}
