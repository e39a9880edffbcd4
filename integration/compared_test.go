package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// ociRuntimes are the OCI runtimes that Batten is tried with, by their names.
func ociRuntimes(t *testing.T, n *node.Node) map[string]string {
	t.Helper()
	return map[string]string{
		"runc 1.5.2": node.RuntimeOf(newest), "runc 1.1.5": node.RuntimeOf("debian"), "runc 1.6": node.RuntimeOf(nextRunc),
		"crun 1.8.1": node.CrunHere(t, n), "crun 1.21": node.CachingCrunHere(t, n),
	}
}

// exchanging makes a runtime that has another one read a changed config.json, and puts
// the file back.
func exchanging(t *testing.T, n *node.Node, runtime, sed string) string {
	t.Helper()
	path := filepath.Join(n.Dir, "exchanging")
	writeFile(t, path, `#!/bin/sh
for a in "$@"; do case $prev in --bundle|-b) bundle=$a;; esac; prev=$a; done
[ -n "$bundle" ] || exec `+runtime+` "$@"
cp -p "$bundle/config.json" "$bundle/kept"
sed -i '`+sed+`' "$bundle/config.json"
`+runtime+` "$@"
status=$?
mv "$bundle/kept" "$bundle/config.json"
exit $status
`)
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCompared: the filter of each container is compared with its profile: by the shim
// and by batten-runc, on each runtime, whether it installs the filter before start or
// with it. What it should be runs; one call more than the profile lets through, and the
// container comes to its end before it makes that call.
func TestCompared(t *testing.T) {
	n := node.Start(t, newest)
	for name, runtime := range ociRuntimes(t, n) {
		for _, privileges := range []oci.SpecOpts{oci.WithNewPrivileges, oci.WithNoNewPrivileges} {
			t.Run(name, func(t *testing.T) {
				n.In(t)
				binary := func(path string) node.Run { // the shim
					return node.Run{Runtime: node.Batten, Options: tomlOptions(`BinaryName = "` + path + `"`)}
				}
				wrapper := func(path string) node.Run {
					return node.Run{Runtime: node.Stock, Options: wrapped(t, n, path)}
				}
				for way, run := range map[string]func(string) node.Run{"shim": binary, "batten-runc": wrapper} {
					checkCompared(t, n, way, run, runtime, node.WithOldSpec, privileges)
				}
			})
		}
	}
}

func checkCompared(t *testing.T, n *node.Node, way string, through func(string) node.Run, runtime string, spec ...oci.SpecOpts) {
	t.Helper()
	run := through(runtime)
	run.Spec = spec
	c, err := n.Start(run)
	if err != nil {
		t.Fatalf("%s: %v", way, err)
	}
	if rec := wantAttested(t, n, c); rec.Attestation.Compared != record.AsStrict {
		t.Errorf("%s: the record says %+v", way, rec.Attestation)
	}
	if out, err := c.Exec("/probe", "call", "keyctl"); err != nil || out != "keyctl: EPERM\n" {
		t.Errorf("%s: an exec wrote %q (%v)", way, out, err)
	}
	c.Remove()

	run = through(exchanging(t, n, runtime, `s/"names":\["accept",/"names":["keyctl","accept",/`))
	run.Spec, run.Args = spec, []string{"/probe", "sleep", "3", "--", "call", "keyctl"}
	c, err = n.Start(run)
	if err != nil {
		if !strings.Contains(err.Error(), "its filter is looser than its profile: keyctl(0x0,") {
			t.Errorf("%s: %v", way, err)
		}
		c.Remove()
		return
	}
	if strings.Contains(runtime, "runc") {
		t.Errorf("%s: started, though runc installs the filter before", way)
	}
	exit, err := c.WaitExit()
	if out := c.Output(); err != nil || exit != 137 || out != "" {
		t.Errorf("%s: exit %d (%v), the container wrote %q", way, exit, err, out)
	}
	c.Remove()
}

// TestCacheOfFilters: crun 1.21 finds a filter that it compiled before; under Batten a
// container gets the one of its own profile. These two differ in an errno.
func TestCacheOfFilters(t *testing.T) {
	n := node.Start(t, newest)
	crun := node.CachingCrunHere(t, n)
	setPolicy(t, n, "version: 1\n")
	for _, tt := range []struct {
		errno         uint
		stock, batten string
	}{
		{errno: 1, stock: "keyctl: EPERM\n", batten: "keyctl: EPERM\n"},
		{errno: 13, stock: "keyctl: EPERM\n", batten: "keyctl: EACCES\n"},
	} {
		denies := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
			{Names: []string{"keyctl"}, Action: specs.ActErrno, ErrnoRet: &tt.errno},
		}}
		run := node.Run{Args: []string{"/probe", "call", "keyctl"}, Spec: []oci.SpecOpts{node.WithOldSpec, node.WithSeccomp(denies)}}
		run.Runtime, run.Options = node.Stock, &options.Options{BinaryName: crun, Root: "/run/stock-crun"}
		if out := n.Output(run); out != tt.stock {
			t.Errorf("errno %d, stock: the container wrote %q, want %q", tt.errno, out, tt.stock)
		}
		run.Runtime, run.Options = node.Batten, tomlOptions(fmt.Sprintf("BinaryName = %q\nRoot = %q", crun, "/run/batten-crun"))
		if out := n.Output(run); out != tt.batten {
			t.Errorf("errno %d: the container wrote %q, want %q", tt.errno, out, tt.batten)
		}
	}
}

// TestComparedIsNeverFalse: of no runtime's filter does CompareLive say that it is looser
// than its profile: for the corpus, for containerd's default with several sets of
// capabilities, and for random profiles, PROFILES for each runtime. They are sealed, as
// under Batten.
func TestComparedIsNeverFalse(t *testing.T) {
	n := node.Bare(t, newest)
	want := node.Often(t, "PROFILES", 12)
	r := rand.New(rand.NewPCG(9, uint64(want)))
	fixed := filtertest.Corpus(t)
	for _, caps := range [][]string{nil, {"CAP_SYS_ADMIN"}, {"CAP_SYS_PTRACE", "CAP_BPF"}, {"CAP_SYS_MODULE", "CAP_SYS_TIME"}} {
		fixed["RuntimeDefault "+strings.Join(caps, " ")] = profile.RuntimeDefault(caps)
	}
	for name, runtime := range ociRuntimes(t, n) {
		compared, made := 0, 0
		try := func(s specs.LinuxSeccomp) {
			if filtertest.MayNotReturn(s) {
				return
			}
			made++
			sealed := profile.Seal(s)
			live, err := load(t, n, runtime, fmt.Sprintf("%s-%d", name[:4]+name[len(name)-1:], made), &sealed)
			if err == nil && len(live) == 1 { // else it could not start under it
				compared++
				checkComparedLive(t, name, &sealed, live)
			}
		}
		for _, s := range fixed {
			try(s)
		}
		for random := 0; compared < want+5 && random < 8*want; random++ {
			s := filtertest.ProfileOf(r, named)
			if strings.HasPrefix(name, "crun") {
				fitCrun(&s)
			}
			s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: needed, Action: specs.ActAllow})
			try(s)
		}
		t.Logf("%s: %d profiles, %d of them compared", name, made, compared)
		if compared < want {
			t.Errorf("%s: only %d were compared", name, compared)
		}
	}
}
