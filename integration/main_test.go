package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The whole suite runs on the newest daemon and on Debian's with Debian's
// runc; what depends on the daemon runs on all.
var (
	newest = "containerd-2.4"
	// nextRunc is the newest containerd with runc's candidate for its next release.
	nextRunc = "runc-1.6"
	full     = []string{newest, "debian"}
	all      = []string{newest, nextRunc, "debian", "containerd-1.7", "containerd-2.2"}
)

// on runs a test on a fresh node of each engine.
func on(t *testing.T, engines []string, test func(t *testing.T, n *node.Node)) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) { test(t, node.Start(t, engine)) })
	}
}

// setPolicy writes the node policy, as an editor would.
func setPolicy(t *testing.T, n *node.Node, text string) {
	t.Helper()
	writeFile(t, filepath.Join(n.Etc, "policy.yaml"), text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tomlOptions are runtime options in the generic form, as CRI and Docker send
// them.
func tomlOptions(lines ...string) *runtimeoptions.Options {
	return &runtimeoptions.Options{ConfigBody: []byte(strings.Join(lines, "\n") + "\n")}
}

// calls makes the probe's output: name, result, name, result.
func calls(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(pairs[i] + ": " + pairs[i+1] + "\n")
	}
	return b.String()
}

// wantSeccomp checks the first process of a container.
func wantSeccomp(t *testing.T, what string, c *node.Created, mode, filters string) {
	t.Helper()
	gotMode, gotFilters := c.Seccomp()
	if gotMode != mode || gotFilters != filters {
		t.Errorf("%s: Seccomp: %s, Seccomp_filters: %s; want %s and %s", what, gotMode, gotFilters, mode, filters)
	}
}

// wantError checks that err is there and says all of parts.
func wantError(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: the error\n%v\ndoes not say\n%s", what, err, part)
		}
	}
}

// denyKeys is a profile that a container may bring: all but two calls, for
// programs of 64 and of 32 bits. Without the second, i386 calls are killed.
func denyKeys() *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"add_key", "perf_event_open"}, Action: specs.ActErrno}},
	}
}

// profileFixture is a profile of testdata.
func profileFixture(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// withProfile has the container bring a profile written as JSON.
func withProfile(text string) []oci.SpecOpts {
	s, err := profile.Decode([]byte(text))
	if err != nil {
		panic(err)
	}
	return []oci.SpecOpts{node.WithSeccomp(s)}
}
