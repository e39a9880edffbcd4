package machines

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// world makes what all pages take for granted: a checkout with what make built, manifests to
// look at, a bundle, and an apt that does not ask.
const world = `tar -xf /run/in/world.tar && echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/yes && ` +
	`printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: main, image: web:1, securityContext: {seccompProfile: {type: RuntimeDefault}}}]\n' >pod.yaml && ` +
	`mkdir -p k8s profiles bundle/rootfs/bin && cp pod.yaml deployment.yaml && cp pod.yaml k8s/ && cp deploy/policies/default.yaml new.yaml && ` +
	`cp deploy/policies/ebpf-agent.json profiles/ && cp /bin/busybox bundle/rootfs/bin/`

const (
	fromPackage = "apt install ./dist/batten_*_amd64.deb"
	fromSource  = "install -m 0755 bin/containerd-shim-batten-v2 bin/batten-runc /usr/local/bin/ && install -m 0755 bin/batten /usr/local/sbin/ && ln -sf batten-runc /usr/local/bin/batten-runc-crio"
	shop        = "pod --name web/shop-7d4b9c6f5d-x2x7p --keep sh -c '/bin/probe call set_mempolicy; exec sleep 100000'"
	// soon runs a pod beside the next command, which waits for one.
	soon = "nohup sh -c 'sleep 4; pod --name web/shop-7d4b9c6f5d-x2x7q grep Seccomp: /proc/self/status' >/dev/null 2>&1 &"
	// interrupted ends a command as Ctrl-C does.
	interrupted = "timeout --preserve-status -s INT 30 "
	elsewhere   = "integration/kubernetes runs it"
)

// guides are the pages that a machine with containerd alone runs, in this order.
var guides = []guide{
	{
		page: "README.md",
		not: map[string]string{
			"make demo": "make test runs it", "make dist": "the test has run it", "make build": "the test has run it",
		},
		with: map[string]string{"batten uninstall": "rm /usr/local/bin/*batten* /usr/local/sbin/batten"},
		says: map[string]string{"batten install --containerd --dry-run": "+# batten: begin", "batten status": "containerd  batten   yes      yes", "batten uninstall": "containerd: uninstalled"},
	},
	{
		page: "docs/guide/distributions.md", before: []string{fromPackage},
		not: map[string]string{"make talos-extension": "make test runs it"},
	},
	{
		page: "docs/guide/status.md", before: []string{shop},
		not: map[string]string{"batten verify [ID...]": "it shows what may be left out"},
	},
	{
		page: "docs/guide/lint.md",
		not:  map[string]string{"helm template": elsewhere},
	},
	{
		page: "docs/guide/rollout.md",
		not:  map[string]string{"jq ": "the machine has none"},
	},
	{
		page: "docs/guide/audit.md",
		with: map[string]string{"batten records": shop + "; sleep 10"}, // what is counted is written some seconds later
		as:   map[string]string{"batten denials --follow": interrupted + "batten denials --follow"},
		says: map[string]string{"batten denials ": "set_mempolicy", "grep ": "set_mempolicy"},
	},
	{
		page: "docs/guide/record.md",
		before: []string{
			"cp deploy/policies/default.yaml /etc/batten/policy.yaml",
			"printf '#!/bin/sh\\nexec busybox true\\n' >/usr/local/bin/redis-server && chmod +x /usr/local/bin/redis-server",
		},
		with: map[string]string{
			"batten record --pod": soon, "batten replay shop.json": soon,
			"batten record --from":         "cp shop.recording.json node1.recording.json && cp shop.recording.json node2.recording.json",
			"batten replay profiles/shop.": "cp new.json profiles/shop.json",
		},
		as: map[string]string{
			"batten record --pod":     interrupted + "batten record --pod 'web/shop-*' --until 24h --to shop.json",
			"batten replay shop.json": interrupted + "batten replay shop.json --pod 'web/shop-*' --until 1h",
		},
		says: map[string]string{"batten record --pod": "proved: the profile is nowhere looser than RuntimeDefault"},
	},
	{
		page:   "docs/guide/zero-day.md",
		before: []string{"pod --name web/shop-7d4b9c6f5d-x2x7r --privileged --keep sleep 100000"},
		not:    map[string]string{"kubectl ": elsewhere},
		with: map[string]string{
			"batten block --except":  "batten unblock block-socket-af-alg",
			"batten block --running": "batten unblock block-socket-af-alg",
		},
		says: map[string]string{
			"batten block 'socket":   "proved to be closed; restart these:",
			"batten block --running": "containers, all proved to be closed by the filters that the kernel holds\n",
			"batten block --list":    "block-socket-af-alg",
		},
	},
}

// enginesGuides are the pages that need Docker and Podman.
var enginesGuides = []guide{
	{
		page:   "docs/guide/engines.md",
		before: []string{fromSource, box + " && docker tag box debian && podman tag localhost/box docker.io/library/debian"},
		not:    map[string]string{"systemctl restart crio": "there is no CRI-O", "batten install --crio": "there is no CRI-O; TestCRIO runs it on files of its"},
		status: map[string]int{"batten status$": 1},
		says:   map[string]string{"docker run": "Seccomp:\t2", "podman run": "Seccomp:\t2"},
	},
}

// worldFiles are what the machine is brought: a checkout's parts that commands name.
func worldFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files := moreFiles(t)
	checkout := map[string][]byte{"dist/batten_0.0.1_amd64.deb": files["batten_0.0.1_amd64.deb"]}
	delete(files, "batten_0.0.1_amd64.deb")
	delete(files, "batten_0.0.2_amd64.deb")
	for name, program := range unpackaged(t, "amd64") {
		checkout["bin/"+name] = program
	}
	bundle, err := json.Marshal(specs.Spec{
		Version: "1.0.2", Root: &specs.Root{Path: "rootfs"}, Process: &specs.Process{Args: []string{"/bin/busybox", "true"}, Cwd: "/"},
		Mounts: []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc"}},
		Linux:  &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkout["bundle/config.json"] = bundle
	policies := filepath.Join(node.Root(), "deploy", "policies")
	entries, err := os.ReadDir(policies)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			checkout["deploy/policies/"+e.Name()] = read(t, filepath.Join(policies, e.Name()))
		}
	}
	files["world.tar"] = pack(t, checkout)
	return files
}
