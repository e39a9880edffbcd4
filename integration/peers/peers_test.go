package peers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

const engine = "containerd-2.4"

// suite is one of containerd's.
type suite struct {
	program string
	args    func(n *node.Node) []string
	// leave are tests that are left out, and why.
	leave map[string]string
	// passed is how many tests pass at least.
	passed int
}

// TestClient is the suite of containerd's client, with a daemon of its own that it
// restarts.
func TestClient(t *testing.T) {
	suite{
		program: "client.test",
		args:    func(*node.Node) []string { return []string{"-test.root"} },
		leave: map[string]string{
			"TestBindLowPortNonOpt": "waits for ever for busybox's nc, with either shim",
		},
		passed: 150,
	}.compare(t)
}

// TestCRI is the suite of containerd's CRI plugin.
func TestCRI(t *testing.T) {
	suite{
		program: "integration.test",
		args: func(n *node.Node) []string {
			return []string{"-cri-endpoint", "unix://" + n.Socket, "-build-dir", n.Bin}
		},
		leave:  map[string]string{},
		passed: 10,
	}.compare(t)
}

// compare runs the suite with both shims.
func (s suite) compare(t *testing.T) {
	stock, said := s.run(t, false, "")
	if n := bytes.Count(said, []byte("batten: ")); n > 0 {
		t.Errorf("Batten speaks %d times in the stock shim's run", n)
	}
	batten, said := s.run(t, true, "")
	if n := bytes.Count(said, []byte("batten: ")); n < s.passed/3 {
		t.Errorf("Batten speaks only %d times: were the containers its own?", n)
	}
	t.Logf("stock: %v", stock.sums())
	t.Logf("Batten: %v", batten.sums())
	for _, name := range stock.differs(batten) {
		t.Errorf("%s: stock %q, Batten %q", name, stock[name], batten[name])
	}
	if n := stock.sums()["PASS"]; n < s.passed {
		t.Errorf("only %d tests pass with the stock shim", n)
	}
}

// run is one run of the suite's tests, or of one of them.
func (s suite) run(t *testing.T, batten bool, only string) (result, []byte) {
	t.Helper()
	certificate := certify(t)
	n := node.Start(t, engine, node.WithCluster(), node.WithQuietLog(), node.WithLeftovers())
	if batten {
		replaceShim(t, n)
	}
	serveImages(t, n, certificate)
	dir := filepath.Join(node.Cache(), "containerd-2.4-tests")
	args := append([]string{
		"sh", "-c", `mount -t tmpfs tmpfs /var/lib && cd "$0" && exec "$@"`, dir, "./" + s.program,
		"-test.v", "-test.timeout", "8m", "-test.run", only, "-test.skip", s.skip(),
	}, s.args(n)...)
	cmd := n.Command(args...)
	cmd.Env = append(cmd.Env, "PATH="+n.Bin+":"+dir+":"+os.Getenv("PATH"))
	f, _ := os.Create(fmt.Sprintf("/tmp/try-%s-%v.txt", s.program, batten))
	cmd.Stdout, cmd.Stderr = f, f
	err := cmd.Run()
	out, _ := os.ReadFile(f.Name())
	t.Logf("Batten %v: %v", batten, err)
	return results(out), append(out, n.Log()...)
}

// skip is the pattern of the tests that are left out.
func (s suite) skip() string {
	if len(s.leave) == 0 {
		return ""
	}
	var names []string
	for name := range s.leave {
		names = append(names, name)
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

// result is what became of each test by name.
type result map[string]string

var ended = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+) \(`)

func results(out []byte) result {
	r := make(result)
	for _, m := range ended.FindAllSubmatch(out, -1) {
		r[string(m[2])] = string(m[1])
	}
	return r
}

func (r result) sums() map[string]int {
	sums := make(map[string]int)
	for _, what := range r {
		sums[what]++
	}
	return sums
}

// differs are the tests that ended in another way.
func (r result) differs(other result) (names []string) {
	for name, what := range r {
		if other[name] != what {
			names = append(names, name)
		}
	}
	for name := range other {
		if _, known := r[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
