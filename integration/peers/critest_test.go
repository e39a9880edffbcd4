package peers

import (
	"bytes"
	"encoding/xml"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestCritest is Kubernetes' own suite for CRI plugins (sigs.k8s.io/cri-tools). With Batten every
// spec ends as with the stock shim, but for those that ask for no filter and are given one; with
// absent: Unconfined these, too. Without PEERS=1 it is the specs on seccomp alone.
func TestCritest(t *testing.T) {
	node.Need(t, engine)
	if !node.Exists(filepath.Join(node.Cache(), "cri-tools-1.37/critest")) {
		node.Missing(t, "critest is not built: run integration/engines/build.sh peers")
	}
	focus, atLeast := "[Ss]eccomp", 5
	if os.Getenv("PEERS") != "" {
		focus, atLeast = "", 60
	}
	run := func(name, policy, focus string) (r result) {
		t.Run(name, func(t *testing.T) { r = critest(t, name != "stock", policy, focus) })
		return r
	}
	const open = "version: 1\nabsent: Unconfined\n"
	stock, forced, unconfined := run("stock", "", focus), run("forced", "version: 1\n", focus), run("unconfined", open, focus)
	t.Logf("stock: %v; Batten: %v; with absent: Unconfined: %v", stock.sums(), forced.sums(), unconfined.sums())
	if n := stock.sums()["PASS"]; n < atLeast {
		t.Errorf("only %d specs pass with the stock shim", n)
	}
	for _, name := range stock.differs(forced) {
		if !strings.Contains(strings.ToLower(name), "unconfined") {
			t.Errorf("forced: %s: stock %s, Batten %s", name, stock[name], forced[name])
		}
	}
	for _, name := range stock.differs(unconfined) {
		t.Errorf("unconfined: %s: stock %s, Batten %s", name, stock[name], unconfined[name])
	}
	refused := slices.DeleteFunc(slices.Collect(maps.Keys(forced)), func(name string) bool { return forced[name] != "FAIL" || stock[name] != "PASS" })
	if len(refused) == 0 {
		t.Error("no spec asks for Unconfined and gets a filter: was Batten there?")
	}
}

// critest runs the specs that focus names, or all that need no image of a registry of their own,
// in a node, whose only runtime is the one or the other.
func critest(t *testing.T, batten bool, policy, focus string) result {
	t.Helper()
	before := cgroups()
	defer func() { removeCgroups(before) }()
	keepFiles(t)
	certificate := certify(t)
	n := node.Start(t, engine, node.WithCluster(), node.WithQuietLog(), node.WithLeftovers())
	if batten {
		replaceShim(t, n)
		if err := os.WriteFile(filepath.Join(n.Etc, "policy.yaml"), []byte(policy), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	serveImages(t, n, certificate)
	// Other names are not found at once, and not after a minute.
	if err := n.Command("sh", "-c", "echo nameserver 127.0.0.1 >/etc/resolv.conf").Run(); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.xml")
	cmd := n.Command(filepath.Join(node.Cache(), "cri-tools-1.37/critest"),
		"-runtime-endpoint", "unix://"+n.Socket, "-image-endpoint", "unix://"+n.Socket, "-ginkgo.no-color", "-ginkgo.junit-report", report,
		"-ginkgo.focus", focus, "-ginkgo.skip", "[Bb]enchmark|[Ii]mage Manager|image should|public image")
	out := output(t, strings.ReplaceAll(t.Name(), "/", "-"))
	cmd.Stdout, cmd.Stderr = out, out
	_ = cmd.Run() // a spec that fails is a result
	r := junit(t, read(t, report))
	if len(r) == 0 {
		t.Fatalf("it ran nothing:\n%s", bytes.TrimSpace(read(t, out.Name())))
	}
	return r
}

// junit reads a report.
func junit(t *testing.T, data []byte) result {
	t.Helper()
	var report struct {
		Suites []struct {
			Cases []struct {
				Name   string `xml:"name,attr"`
				Status string `xml:"status,attr"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	r := make(result)
	for _, s := range report.Suites {
		for _, c := range s.Cases {
			switch c.Status {
			case "passed":
				r[c.Name] = "PASS"
			case "skipped", "pending":
			default:
				r[c.Name] = "FAIL"
			}
		}
	}
	return r
}
