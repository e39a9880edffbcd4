package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// redis runs Debian's redis-server in a container, and its own benchmark beside it.
const redis = `cd /tmp; redis-server --port 0 --unixsocket /tmp/r --save '' >/dev/null & s=$!
until redis-cli -s /tmp/r ping >/dev/null 2>&1; do sleep 0.05; done
redis-benchmark -s /tmp/r -c 20 -n 200000 -t get --csv | tail -1 | cut -d, -f2 | tr -d '"'
redis-cli -s /tmp/r shutdown nosave; wait $s`

// real measures a program that is hardly ever denied a call: what allowed calls cost it.
func (b *bench) real(n *node.Node) {
	mounts, ok := redisMounts()
	if !ok {
		return
	}
	each := make(map[string][]float64)
	for round := range b.rounds + 1 {
		for k := range seeing {
			policy := seeing[(k+round)%len(seeing)] // nobody is always first
			run := underPolicy(policy, "", policy, oci.WithMounts(mounts), oci.WithEnv([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"})).run
			took := b.redis(n, run)
			if round > 0 { // the first warms up
				each[policy] = append(each[policy], took)
			}
		}
	}
	fmt.Printf("\n| redis-benchmark, GET by 20 clients | ns each | ratio (quartiles) | goal |\n| --- | --- | --- | --- |\n| silent | %.0f | | |\n", median(each["auto"]))
	for i, what := range []string{"counted", "audited"} {
		fmt.Printf("| %s | %.0f | %s | ≤ 1.02 |\n", what, median(each[seeing[i+1]]), ratio(each[seeing[i+1]], each["auto"]))
	}
}

// redisMounts are Debian's programs; ok is false if they are not there.
func redisMounts() (mounts []specs.Mount, ok bool) {
	root := filepath.Join(node.Cache(), "programs/root")
	if !node.Exists(root) {
		fmt.Println("\nredis: not measured, Debian's programs are not unpacked: run integration/engines/build.sh all")
		return nil, false
	}
	for _, dir := range []string{"bin", "etc", "lib", "lib64", "sbin", "usr"} {
		mounts = append(mounts, specs.Mount{Source: filepath.Join(root, dir), Destination: "/" + dir, Type: "bind", Options: []string{"rbind", "ro"}})
	}
	return append(mounts, specs.Mount{Source: "tmpfs", Destination: "/tmp", Type: "tmpfs", Options: []string{"mode=1777"}}), true
}

// redis runs redis and its benchmark, and returns the time of a request in nanoseconds.
func (b *bench) redis(n *node.Node, run node.Run) float64 {
	run.Args = []string{"/bin/sh", "-c", redis}
	out, exit := n.Job(run, time.Minute)
	perSecond, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	if exit != 0 || err != nil {
		b.Fatalf("redis: exit status %d, %q, %v", exit, out, err)
	}
	return 1e9 / perSecond
}

// recordedRedis is redis beside a recorder or none.
func (b *bench) recordedRedis(n *node.Node) {
	mounts, ok := redisMounts()
	if !ok {
		return
	}
	run := node.Run{Runtime: node.Stock, Spec: []oci.SpecOpts{oci.WithMounts(mounts), oci.WithEnv([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"})}}
	took := make([][]float64, len(beside))
	for round := range b.rounds + 1 {
		for k := range beside {
			i := (k + round) % len(beside) // nobody is always first
			value := b.withRecorder(i, func() float64 { return b.redis(n, run) })
			if round > 0 { // the first warms up
				took[i] = append(took[i], value)
			}
		}
	}
	b.tellRecorded("redis-benchmark, GET by 20 clients, ns each", took, []string{"", "≤ 1.01", "≤ 1.02"})
}
