package peers

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

const engine = "containerd-2.4"

// suite is one of containerd's.
type suite struct {
	program string
	// script starts what the suite needs; "$@" is the suite.
	script string
	args   []string
	// leave are tests that are left out, and why; long those that only a run with
	// PEERS=1 has.
	leave map[string]string
	long  []string
	// passed is how many tests pass at least.
	passed int
}

// TestClient is the suite of containerd's client, with a daemon of its own.
func TestClient(t *testing.T) {
	suite{
		program: "client.test",
		script:  `"$@"`,
		args:    []string{"-test.root"},
		leave: map[string]string{
			"TestBindLowPortNonOpt": "waits for ever for busybox's nc",
		},
		long:   []string{"TestContainerExecLargeOutputWithTTY", "TestRestartMonitor", "TestContainerRestartPolicyAlways", "TestRegressionIssue6429"},
		passed: 140,
	}.compare(t)
}

// TestCRI is the suite of containerd's CRI plugin, with a daemon that is started again
// when a test has killed it.
func TestCRI(t *testing.T) {
	suite{
		program: "integration.test",
		script: `while :; do containerd --config "$CONFIG"; sleep 2; done >>"$LOG" 2>&1 &
until ctr version; do sleep 0.1; done >/dev/null 2>&1
"$@"`,
		leave: map[string]string{
			"TestContainerDrainExecIOAfterExit":        "wants a daemon with another setting, and waits three minutes",
			"TestContainerConsumedStats":               "wants an image with another program",
			"TestUpgrade":                              "fetches releases of containerd",
			"TestIssue10467":                           "fetches releases of containerd",
			"TestImageLoad":                            "wants Docker",
			"TestSandboxStopWithNilCNIResult":          "wants containerd's failpoint shim, which stands where Batten would",
			"TestRunPodSandboxAndTeardownCNISlow":      "the same",
			"TestRunPodSandboxWith.*(Failure|Slow)":    "the same",
			"TestIssue7496_ShouldRetryShutdown":        "the same",
			"TestContainerdRestartSandboxRecover":      "the same",
			"TestPodSandboxController_ShouldBackoff.*": "the same",
		},
		long: []string{
			"TestContainerTTYLeakAfterExit", "TestIssue7496", "TestContainerListStats.*", "TestContainerStats", "TestContainerStopCancellation",
			"TestAdditionalGids", "TestReload100Pods", "TestCRIImagePullTimeout",
		},
		passed: 55,
	}.compare(t)
}

// rounds is how often a test that ends otherwise is run again with both shims: some of
// containerd's own tests fail now and then under either.
const rounds = 6

// compare runs the suite with both shims. A test that ends otherwise with Batten is run
// again by itself with both, and is an error when no end of it with Batten was ever seen
// with the stock shim.
func (s suite) compare(t *testing.T) {
	node.Need(t, engine)
	if !node.Exists(filepath.Join(programs(), s.program)) {
		node.Missing(t, "containerd's tests are not built: run integration/engines/build.sh peers")
	}
	stock, said := s.run(t, false, "")
	if n := bytes.Count(said, []byte("batten: ")); n > 0 {
		t.Errorf("Batten speaks %d times in the stock shim's run", n)
	}
	batten, said := s.run(t, true, "")
	if n := bytes.Count(said, []byte("batten: ")); n < s.passed/3 {
		t.Errorf("Batten speaks only %d times: were the containers its own?", n)
	}
	t.Logf("stock: %v; Batten: %v", stock.sums(), batten.sums())
	if n := stock.sums()["PASS"]; n < s.passed {
		t.Errorf("only %d tests pass with the stock shim", n)
	}
	differ := stock.differs(batten)
	if len(differ) > 10 {
		t.Fatalf("%d tests end otherwise: %q", len(differ), differ)
	}
	for _, name := range differ {
		ends := ends{stock: []string{stock[name]}, batten: []string{batten[name]}}
		one := "^" + strings.Split(name, "/")[0] + "$"
		for i := 0; i < rounds && !ends.meet(); i++ {
			first, _ := s.run(t, false, one)
			second, _ := s.run(t, true, one)
			ends.stock = append(ends.stock, first[name])
			ends.batten = append(ends.batten, second[name])
		}
		t.Logf("%s: stock %q, Batten %q", name, ends.stock, ends.batten)
		if !ends.meet() {
			t.Errorf("%s: stock %q, Batten %q", name, ends.stock, ends.batten)
		}
	}
}

// programs is where the suites are.
func programs() string { return filepath.Join(node.Cache(), "containerd-2.4-tests") }

// run is one run of the suite's tests, or of those that the pattern only names, as a
// subtest: its node ends with it.
func (s suite) run(t *testing.T, batten bool, only string) (ended result, said []byte) {
	t.Helper()
	name := "stock"
	if batten {
		name = "batten"
	}
	t.Run(name, func(t *testing.T) { ended, said = s.runHere(t, batten, only) })
	return ended, said
}

// private gives a suite its own directories of containerd. Batten's sockets are in a directory
// below the stock shim's (shim/group.go); with the link they are where tests look for the
// stock shim's.
const private = `mount -t tmpfs tmpfs /var/lib || exit
mkdir -p /run/containerd || exit
mount -t tmpfs tmpfs /run/containerd || exit
mkdir /run/containerd/s && ln -s . /run/containerd/s/batten || exit
cd "$0" || exit
`

// runHere runs the tests in a node whose processes have numbers of their own and end
// with it: the suites kill containerd by its name.
func (s suite) runHere(t *testing.T, batten bool, only string) (result, []byte) {
	t.Helper()
	before := cgroups()
	defer func() { removeCgroups(before) }()
	keepFiles(t)
	certificate := certify(t)
	n := node.Start(t, engine, node.WithCluster(), node.WithQuietLog())
	n.KillDaemon() // the suite has one of its own
	if batten {
		replaceShim(t, n)
	}
	serveImages(t, n, certificate)
	script := private + s.script
	// A test sends SIGHUP, which whoever runs all this may have ignored (nohup).
	args := append([]string{
		"env", "--default-signal", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, programs(), "./" + s.program,
		"-test.v", "-test.timeout", "15m", "-test.run", only, "-test.skip", s.skip(),
	}, s.args...)
	if s.program == "integration.test" {
		args = append(args, "-cri-endpoint", "unix://"+n.Socket, "-build-dir", n.Bin)
	}
	cmd := n.Command(args...)
	log := filepath.Join(n.Dir, "suite.log")
	cmd.Env = append(cmd.Env, "PATH="+n.Bin+":"+programs()+":"+os.Getenv("PATH"), "CONFIG="+n.Config(), "LOG="+log)
	out := output(t, fmt.Sprintf("%s-%v", s.program, batten))
	cmd.Stdout, cmd.Stderr = out, out
	_ = cmd.Run() // a test that fails is a result
	return results(read(t, out.Name())), append(read(t, out.Name()), read(t, log)...)
}

// skip is the pattern of the tests that are left out.
func (s suite) skip() string {
	names := slices.Collect(maps.Keys(s.leave))
	if os.Getenv("PEERS") == "" {
		names = append(names, s.long...)
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// replaceShim has the node find Batten by the stock shim's name, so that tests which
// name the stock runtime have Batten, too.
func replaceShim(t *testing.T, n *node.Node) {
	t.Helper()
	path := filepath.Join(n.Bin, "containerd-shim-runc-v2")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(node.Shim(t), path); err != nil {
		t.Fatal(err)
	}
}
