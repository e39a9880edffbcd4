package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// bench is the program.
type bench struct {
	*node.Program
	engine string
	rounds int
	parts  string
	other  string // directory of another build's binaries
	serial int
}

// has reports whether a part is to be measured.
func (b *bench) has(part string) bool { return strings.Contains(b.parts, part) }

// variant is one way to start a container; ctr are the flags that make
// `ctr run` start it so.
type variant struct {
	name string
	run  node.Run
	ctr  []string
}

// comparison sets variants against a base, with the goals for their ratios.
type comparison struct {
	base  variant
	under []variant
	goals []string // Create to Start, then ctr run, for each of under
}

func (b *bench) play() {
	if b.has("pods") || b.has("crowd") {
		b.pods()
		return
	}
	if b.parts == "record" {
		fmt.Printf("Medians of %d interleaved rounds; ratios with the quartiles of the pairs' ratios.\n", b.rounds)
		b.recorded()
		b.recordedRedis(node.Start(b, b.engine, node.WithQuietLog()))
		return
	}
	n := node.Start(b, b.engine, node.WithQuietLog())
	b.policies(n)
	fmt.Printf("Medians of %d interleaved rounds on %s; ratios with the quartiles of the pairs' ratios.\n", b.rounds, b.engine)
	if b.other != "" {
		b.versions(n)
		return
	}
	b.starts(n)
	if b.has("floor") {
		heading("Create sent to Start returned, runc, with a floor")
		for _, c := range b.floors() {
			b.compare(n, c, b.createToStart, 0)
		}
		b.rewriteUnderFloor()
		b.rewriteUnderDropIns()
	}
	if b.has("observe") {
		b.startsSeen(n)
		b.observed(n)
	} else if b.has("seen") {
		b.startsSeen(n)
	}
	if b.has("redis") {
		b.real(n)
	}
	if b.has("wrapper") {
		b.commands(n)
		b.routes(n)
	}
	if b.has("memory") {
		b.memory(n)
	}
	if b.has("size") {
		b.size()
	}
	if b.has("rewrite") {
		b.rewrite()
	}
}

// starts measures starts of containers beside the stock shim, by runc and crun.
func (b *bench) starts(n *node.Node) {
	for _, runtime := range []string{"runc", "crun"} {
		if !b.has(runtime) {
			continue
		}
		for _, what := range []struct {
			name string
			once func(n *node.Node, v variant) time.Duration
			goal int
		}{
			{"Create sent to Start returned, " + runtime, b.createToStart, 0},
			{"ctr run --rm, " + runtime, b.ctrRun, 1},
		} {
			if runtime == "crun" && what.goal == 1 {
				continue // ctr names other runtimes for its own type only
			}
			heading(what.name)
			for _, c := range b.comparisons(n, runtime) {
				b.compare(n, c, what.once, what.goal)
			}
		}
	}
}

func (b *bench) policies(n *node.Node) {
	for name, text := range map[string]string{
		"auto":       "version: 1\n",
		"native":     "version: 1\narchitectures: native\n",
		"unconfined": "version: 1\nabsent: Unconfined\n",
		"denies":     floorPolicy,
		"default":    "version: 1\nfloor: RuntimeDefault\n",
		"count":      "version: 1\ndenials: Count\n",
		"audit":      "version: 1\nmode: Audit\n",

		"count-native": "version: 1\narchitectures: native\ndenials: Count\n",
		"audit-silent": "version: 1\nmode: Audit\ndenials: Silent\n",
	} {
		if err := os.WriteFile(filepath.Join(n.Etc, name+".yaml"), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
		file := fmt.Sprintf("Policy = \"/etc/batten/%s.yaml\"\n", name)
		if err := os.WriteFile(filepath.Join(n.Dir, name+".toml"), []byte(file), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// comparisons are the three questions, for an OCI runtime.
func (b *bench) comparisons(n *node.Node, runtime string) []comparison {
	binary := ""
	if runtime == "crun" {
		binary = node.CrunHere(b, n)
	}
	stock := func(name string, spec oci.SpecOpts, ctr ...string) variant {
		return variant{name, node.Run{Runtime: node.Stock, Options: &options.Options{BinaryName: binary}, Spec: []oci.SpecOpts{node.WithOldSpec, spec}}, append([]string{"--runtime", node.Stock}, ctr...)}
	}
	batten := func(name, policy string) variant {
		v := underPolicy(name, binary, policy, node.WithOldSpec)
		v.ctr = []string{"--runtime", node.Batten, "--runtime-config-path", filepath.Join(n.Dir, policy+".toml")}
		return v
	}
	return []comparison{
		{
			stock("stock, default profile asked for", seccomp.WithDefaultProfile(), "--seccomp"),
			[]variant{batten("Batten forcing it, architectures: auto", "auto"), batten("Batten forcing it, architectures: native", "native")},
			[]string{"≤ 0.92", "≤ 0.97", "≤ 0.80", "≤ 0.94"},
		},
		{
			stock("stock, no profile", node.WithOldSpec),
			[]variant{batten("Batten, absent: Unconfined", "unconfined")},
			[]string{"≤ 1.03", ""},
		},
	}
}

// underPolicy is Batten with a policy of its own.
func underPolicy(name, binary, policy string, spec ...oci.SpecOpts) variant {
	table := fmt.Sprintf("BinaryName = %q\nPolicy = \"/etc/batten/%s.yaml\"\n", binary, policy)
	return variant{name: name, run: node.Run{Runtime: node.Batten, Options: &runtimeoptions.Options{ConfigBody: []byte(table)}, Spec: spec}}
}

// compare measures a comparison, all variants in each round.
func (b *bench) compare(n *node.Node, c comparison, once func(*node.Node, variant) time.Duration, goal int) {
	variants := append([]variant{c.base}, c.under...)
	times := make([][]float64, len(variants))
	for round := range b.rounds + 2 {
		for k := range variants {
			i := (k + round) % len(variants) // nobody is always first
			took := once(n, variants[i])
			if round >= 2 { // the first two warm up
				times[i] = append(times[i], float64(took.Microseconds())/1000)
			}
		}
	}
	fmt.Printf("| %s | %.1f | | |\n", c.base.name, median(times[0]))
	for i, v := range c.under {
		fmt.Printf("| %s | %.1f | %s | %s |\n", v.name, median(times[i+1]), ratio(times[i+1], times[0]), c.goals[2*i+goal])
	}
}

func heading(what string) {
	fmt.Printf("\n| %s | ms | ratio (quartiles) | goal |\n| --- | --- | --- | --- |\n", what)
}

// createToStart is the time from Create sent to Start returned, with the
// container and its snapshot made beforehand.
func (b *bench) createToStart(n *node.Node, v variant) time.Duration {
	c, err := n.NewContainer(v.run)
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := c.Begin(); err != nil {
		b.Fatal(v.name, ": ", err)
	}
	took := time.Since(began)
	c.Remove()
	return took
}

// ctrRun is the time of a whole `ctr run --rm`.
func (b *bench) ctrRun(n *node.Node, v variant) time.Duration {
	args := append([]string{"ctr", "-n", node.Namespace, "run", "--rm", "--net-host"}, v.ctr...)
	cmd := n.Command(append(args, node.Image, "bench", "/bin/true")...)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		b.Fatal(v.name, ": ", err, ": ", strings.TrimSpace(string(out)))
	}
	return took
}
