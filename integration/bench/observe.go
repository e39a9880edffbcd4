package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// startsSeen measures starts of containers whose denials are seen.
func (b *bench) startsSeen(n *node.Node) {
	heading("Create sent to Start returned, runc, denials seen")
	for _, c := range []comparison{
		{underPolicy("default forced, silent", "", "auto"), []variant{underPolicy("counted", "", "count")}, []string{"≤ 1.06"}},
		{underPolicy("default forced, silent, `architectures: native`", "", "native"), []variant{underPolicy("the same, counted", "", "count-native")}, []string{"≤ 1.06"}},
		{underPolicy("audit, silent", "", "audit-silent"), []variant{underPolicy("audit that observes", "", "audit")}, []string{""}},
	} {
		b.compare(n, c, b.createToStart, 0)
	}
}

// observed measures what it costs to see denials, for programs that run.
func (b *bench) observed(n *node.Node) {
	b.calls(n)
	b.floods(n)
	b.listening(n)
}

// floods measures the start of a container beside one that is denied calls without end.
func (b *bench) floods(n *node.Node) {
	base := underPolicy("beside nothing", "", "auto")
	under := []variant{
		underPolicy("beside a flood of counted denials", "", "auto"),
		underPolicy("beside a flood of silent denials, which is a program that computes", "", "auto"),
	}
	beside := make(map[string]*node.Created)
	for i, policy := range []string{"count", "auto"} {
		run := underPolicy("", "", policy).run
		run.Args = []string{"/probe", "loop", "keyctl", "1000000000000"}
		c, err := n.Start(run)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Remove()
		if err := c.Pause(); err != nil {
			b.Fatal(err)
		}
		beside[under[i].name] = c
	}
	heading("Create sent to Start returned, runc, beside a flood")
	b.compare(n, comparison{base, under, []string{"≤ 1.1", "", "", ""}}, func(n *node.Node, v variant) time.Duration {
		if c := beside[v.name]; c != nil {
			if err := c.Resume(); err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := c.Pause(); err != nil {
					b.Fatal(err)
				}
			}()
			time.Sleep(300 * time.Millisecond) // the listener's burst is over
		}
		return b.createToStart(n, v)
	}, 0)
}

// seeing are the ways to run under the default profile.
var seeing = []string{"auto", "count", "audit"}

// calls measures single calls of a program: one that is denied, and one that is allowed.
func (b *bench) calls(n *node.Node) {
	containers := make(map[string]*node.Created)
	for _, policy := range seeing {
		c, err := n.Start(underPolicy(policy, "", policy).run)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Remove()
		containers[policy] = c
	}
	fmt.Printf("\n| one call, ns | silent | counted | audited | counted - silent | counted / silent |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, call := range []struct {
		name  string
		times int
	}{{"keyctl", 5_000}, {"getpid", 2_000_000}} {
		took := make(map[string][]float64)
		for range b.rounds {
			for _, policy := range seeing {
				took[policy] = append(took[policy], b.loop(containers[policy], call.name, call.times))
				time.Sleep(200 * time.Millisecond) // the listener may answer in a burst again
			}
		}
		fmt.Printf("| %s | %.0f | %.0f | %.0f | %.0f | %s |\n", call.name, median(took["auto"]), median(took["count"]), median(took["audit"]),
			median(took["count"])-median(took["auto"]), ratio(took["count"], took["auto"]))
	}
}

// loop has a container's program make a call many times, and returns the nanoseconds of one.
func (b *bench) loop(c *node.Created, call string, times int) float64 {
	out, err := c.Exec("/probe", "loop", call, strconv.Itoa(times))
	if err != nil {
		b.Fatal(err)
	}
	ns, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	if err != nil {
		b.Fatal(err)
	}
	return ns
}

// listening measures the memory of shims that listen.
func (b *bench) listening(n *node.Node) {
	pids := make(map[string][]int)
	for range b.rounds {
		for _, policy := range seeing {
			c, err := n.Start(underPolicy(policy, "", policy).run)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Remove()
			if _, err := c.Exec("/probe", "call", "keyctl", "add_key", "unshare"); err != nil {
				b.Fatal(err)
			}
			pids[policy] = append(pids[policy], c.ShimPid())
		}
	}
	time.Sleep(settled)
	fmt.Printf("\n| private dirty memory of a shim, settled, after three kinds of denials | KiB |\n| --- | --- |\n")
	for _, policy := range seeing {
		var kib []float64
		for _, pid := range pids[policy] {
			dirty, err := node.PrivateDirty(pid)
			if err != nil {
				b.Fatal(err)
			}
			kib = append(kib, float64(dirty))
		}
		fmt.Printf("| %s | %.0f |\n", map[string]string{"auto": "silent", "count": "counted", "audit": "audited"}[policy], median(kib))
	}
}
