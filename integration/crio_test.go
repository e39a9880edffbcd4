package integration

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/criotest"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy"
)

const crioPolicy = `version: 1
rules:
- {name: shop, match: {pod: {namespace: [web], name: [shop-*]}, container: [main], image: ["docker.io/library/shop:*"]}, absent: Unconfined}
- {name: agents, match: {pod: {namespace: [monitoring]}}, absent: Unconfined}
- {name: sandboxes, match: {kind: [Sandbox], pod: {namespace: [web]}}}
- {name: migrations, match: {container: [migrate]}, denials: Count}
`

var (
	shopMain    = criotest.Container{Name: "main", Image: "docker.io/library/shop:1", Annotations: criotest.Kubelet}
	shopMigrate = criotest.Container{Name: "migrate", Image: "docker.io/library/shop:1", Annotations: criotest.Kubelet}
)

// ids are as CRI-O makes them.
func id(first string) string { return strings.Repeat(first, 64/len(first)) }

// TestCRIO: what batten install --crio writes has CRI-O's pods held to the rules for them: rules
// match pod, container, image and kind, and all commands know the pod. CRI-O's part
// is played by what its sources say.
func TestCRIO(t *testing.T) {
	for _, runtime := range []string{"runc", "crun"} {
		t.Run(runtime, func(t *testing.T) {
			c := newCRIO(t, runtime)
			setPolicy(t, c.Node, crioPolicy)
			bundles := map[string]string{}
			for _, tt := range []struct {
				id, rule, calls string
				annotations     map[string]string
				want            record.Called
			}{
				{id: id("5a"), annotations: c.pod.Sandbox(), rule: "sandboxes", calls: "EPERM", want: record.Called{Name: "(sandbox)"}},
				{id: id("c1"), annotations: c.pod.Container(shopMain), rule: "shop", calls: "OK", want: record.Called{Name: "main", Image: "docker.io/library/shop:1"}},
				{id: id("c2"), annotations: c.pod.Container(shopMigrate), rule: "migrations", calls: "EPERM", want: record.Called{Name: "migrate", Image: "docker.io/library/shop:1"}},
			} {
				bundle := c.bundle(tt.id, tt.annotations, "/probe", "pause")
				bundles[tt.want.Name] = bundle
				if err := c.start(bundle, tt.id); err != nil {
					t.Fatalf("%s: %v", tt.want.Name, err)
				}
				if got := c.exec(bundle, tt.id, "/probe", "call", "getpid", "keyctl"); got != calls("getpid", "OK", "keyctl", tt.calls) {
					t.Errorf("%s: its program wrote\n%s", tt.want.Name, got)
				}
				rec := recordOf(t, c.Node, tt.id)
				want := tt.want
				want.PodNamespace, want.PodName = "web", "shop-1"
				if rec.Rule != tt.rule || rec.Title() != want || rec.Called != (record.Called{}) || rec.Engine != names.CRIO || rec.Runtime != names.Wrapper {
					t.Errorf("%s: the record is of %+v by rule %q, engine %q, runtime %q", tt.want.Name, rec.Title(), rec.Rule, rec.Engine, rec.Runtime)
				}
				if real := filepath.Base(rec.OCIRuntime); real != runtime {
					t.Errorf("batten-runc handed over to %s", rec.OCIRuntime)
				}
			}
			checkCRIOCommands(t, c, bundles["main"])
			for name, bundle := range bundles {
				c.delete(bundle, filepath.Base(filepath.Dir(bundle)))
				if left, _ := filepath.Glob(c.Path("/run/batten/@*/" + filepath.Base(filepath.Dir(bundle)) + ".json")); len(left) > 0 {
					t.Errorf("%s: left behind: %q", name, left)
				}
			}
		})
	}
}

func recordOf(t *testing.T, n *node.Node, id string) *record.Record {
	t.Helper()
	list, err := record.Store{Dir: n.Path(names.Records)}.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range list {
		if rec.ID == id {
			return rec
		}
	}
	t.Fatalf("no record of %s in %+v", id, list)
	return nil
}

// checkCRIOCommands: each command names the pod, and finds it by its name.
func checkCRIOCommands(t *testing.T, c *crio, bundle string) {
	t.Helper()
	config := filepath.Join(bundle, "config.json")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"records"}, `(?m)^5a5a5a5a5a5a +\(sandbox\) +web/shop-1 +- +nothing +RuntimeDefault +sandboxes `},
		{[]string{"records"}, `(?m)^c1c1c1c1c1c1 +main +web/shop-1 +docker.io/library/shop:1 +nothing +Unconfined +shop `},
		{[]string{"status", "--all"}, `(?m)^yes +c1c1c1c1c1c1 +main +web/shop-1 +docker.io/library/shop:1 `},
		{[]string{"verify"}, `(?m)^.*shop-1.*as today's policy has it: it asks for no seccomp filter, and rule "shop" says absent: Unconfined$`},
		{[]string{"explain", config}, `(?m)^container: Container of CRI-O, pod web/shop-1, container main, image docker.io/library/shop:1\nrule: +shop$`},
		{[]string{"denials", "--pod", "web/shop-1"}, `(?m)^c2c2c2c2c2c2 +migrate +web/shop-1 +keyctl`},
		{[]string{"suggest", "--dangerous", "--pod", "web/shop-1"}, `pod: \{namespace: \["web"\], name: \["shop-\*"\]\}\n +container: \["migrate"\]`},
		{[]string{"block", "--pod", "web/shop-1", "keyctl"}, `(?m)^ +web/shop-1 main \(c1c1c1c1c1c1\): `},
		{[]string{"explain", config}, `, and the node demands block-keyctl of every container`},
		{[]string{"unblock", "block-keyctl"}, ``},
		{[]string{"block", "--except", "{pod: {namespace: [web], name: [shop-*]}, container: [main]}", "keyctl"}, ``},
		{[]string{"explain", config}, `, and the drop-in of block-keyctl leaves it out`},
		{[]string{"unblock", "block-keyctl"}, ``},
		{[]string{"records"}, `(?m)^c1c1c1c1c1c1 +main +web/shop-1 `},
	} {
		c.Eventually(10*time.Second, "batten "+strings.Join(tt.args, " "), func() error {
			out, _ := c.Command(append([]string{"batten"}, tt.args...)...).CombinedOutput()
			if !regexp.MustCompile(tt.want).Match(out) {
				return fmt.Errorf("it says\n%swithout %s", out, tt.want)
			}
			return nil
		})
	}
}

// TestCRIORecord: a recorder finds CRI-O's containers by their pod's name.
func TestCRIORecord(t *testing.T) {
	c := newCRIO(t, "runc")
	setPolicy(t, c.Node, crioPolicy)
	to := filepath.Join(c.Dir, "shop.json")
	cmd := c.Command("batten", "record", "--pod", "web/shop-*", "--container", "main", "--until", "end", "--to", to, "--floor", "None")
	said, says := pipe(t)
	cmd.Stderr = says
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	says.Close()
	lines := bufio.NewScanner(said)
	if !lines.Scan() || lines.Text() != "recording" {
		t.Fatalf("it said %q (%v)", lines.Text(), lines.Err())
	}
	for who, annotations := range map[string]map[string]string{id("d1"): c.pod.Container(shopMain), id("d2"): c.pod.Container(shopMigrate)} {
		bundle := c.bundle(who, annotations, "/probe", "pause")
		if err := c.start(bundle, who); err != nil {
			t.Fatal(err)
		}
		// One that ends at once, maybe before anybody has looked.
		short := id("e" + who[1:2])
		bundleOfShort := c.bundle(short, annotations, "/probe", "call", "getpid")
		if err := c.start(bundleOfShort, short); err != nil {
			t.Fatal(err)
		}
		c.exec(bundle, who, "/probe", "call", "getpid", "keyctl")
		c.delete(bundleOfShort, short)
		c.delete(bundle, who)
	}
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimSuffix(to, ".json") + ".recording.json"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := recording.Read(path, data)
	if err != nil || len(r.Containers) != 2 {
		t.Fatalf("%v: it recorded %+v, unnamed %d", err, r.Containers, r.Unnamed)
	}
	for _, recorded := range r.Containers {
		if recorded.Pod != "web/shop-1" || recorded.Name != "main" || !recorded.Start {
			t.Errorf("it recorded %+v", recorded)
		}
	}
}

// TestCRIOForged: who writes a pod cannot make it another one: nothing starts, and CRI-O is
// told why. What CRI-O does not believe either is let pass.
func TestCRIOForged(t *testing.T) {
	c := newCRIO(t, "runc")
	setPolicy(t, c.Node, crioPolicy)
	forging := c.pod
	forging.Annotations = map[string]string{
		"io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.cri-o.Name": "k8s_main_shop-1_web_5d1c-77_0",
		"io.kubernetes.cri-o.ImageName": "docker.io/library/shop:1",
	}
	bundle := c.bundle(id("f1"), forging.Sandbox(), "/probe", "pause")
	wantError(t, "a sandbox as a container", c.create(bundle, id("f1")), `batten: container refused: annotations io.kubernetes.cri-o.ContainerType: "container" and io.kubernetes.container.name: "POD" cannot both be CRI-O's`)
	if left, _ := filepath.Glob(c.Path("/run/batten/@*/*.json")); len(left) > 0 {
		t.Errorf("records of what was refused: %q", left)
	}
	forging.Annotations = map[string]string{"io.kubernetes.pod.namespace": "monitoring", "io.kubernetes.cri-o.Namespace": "monitoring", "io.kubernetes.cri-o.ImageName": "agent"}
	bundle = c.bundle(id("f2"), forging.Sandbox(), "/probe", "pause")
	if err := c.start(bundle, id("f2")); err != nil {
		t.Fatal(err)
	}
	if rec := recordOf(t, c.Node, id("f2")); rec.Rule != "sandboxes" || rec.Image != "" {
		t.Errorf("rule %q for %+v", rec.Rule, rec.Identity)
	}
	c.delete(bundle, id("f2"))
}

// TestCRIONotSaid: the same bundle is nobody's pod where batten-runc is called by its other
// name: then annotations are for people to read.
func TestCRIONotSaid(t *testing.T) {
	c := newCRIO(t, "runc")
	setPolicy(t, c.Node, crioPolicy)
	wrapped(t, c.Node, c.Node.Runtime())
	c.runtime = filepath.Join(c.Bin, names.Wrapper)
	bundle := c.bundle(id("c3"), c.pod.Container(shopMain), "/probe", "pause")
	if err := c.start(bundle, id("c3")); err != nil {
		t.Fatal(err)
	}
	rec := recordOf(t, c.Node, id("c3"))
	if rec.Rule != "" || rec.Identity != (policy.Identity{Kind: policy.Container}) || rec.Engine != "" {
		t.Errorf("rule %q for %+v of %q", rec.Rule, rec.Identity, rec.Engine)
	}
	if got := c.exec(bundle, id("c3"), "/probe", "call", "getpid", "keyctl"); got != calls("getpid", "OK", "keyctl", "EPERM") {
		t.Errorf("its program wrote\n%s", got)
	}
	c.delete(bundle, id("c3"))
}
