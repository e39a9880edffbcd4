package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/batten-runtime/batten/integration/node"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// workloads are the two containers of the pod that the demo runs twice.
var workloads = []struct {
	name     string
	security *cri.LinuxContainerSecurityContext
}{
	{"unset", nil},
	{"privileged", &cri.LinuxContainerSecurityContext{Privileged: true}},
}

// outcome is what the kernel did for one container.
type outcome struct{ seccomp, keyctl, unshare, getpid string }

// play shows the seven steps.
func (d *demo) play() {
	fmt.Println("Batten's demo: a private containerd with real runc containers. It changes nothing on this machine.")
	n := node.Start(d, "debian", node.WithHandlers(node.Handler{Name: "runc", Type: node.Stock}))

	step(1, "A node as it comes, with containerd's own shim. A pod with two containers that ask for no\nseccomp filter: one says nothing about it, one is privileged.")
	before := d.runPod(n)
	for _, w := range workloads {
		d.promise(w.name, fmt.Sprint(before[w.name]), "{0 OK OK OK}")
	}
	fmt.Println("   The kernel filters neither: both reach the keyring and make a user namespace.")

	step(2, "The same pod. Nothing has changed but the node: in containerd's config.toml the default\nhandler's runtime_type is now \""+node.Batten+"\".")
	n.Restart(node.Handler{Name: "runc", Type: node.Batten})
	after := d.runPod(n)
	d.promise("unset", fmt.Sprint(after["unset"]), "{2 EPERM EPERM OK}")
	d.promise("privileged", fmt.Sprint(after["privileged"]), "{2 EPERM OK OK}")
	fmt.Println("   Both are filtered, and both programs run. The privileged one keeps what CAP_SYS_ADMIN\n   allows in containerd's default profile, such as unshare.")

	d.exceptions(n)
	d.brokenPolicy(n)
	d.records(n)
	d.audit(n)
	d.block(n)
	d.table(before, after)
}

// runPod runs the workloads in a pod and says what the kernel did.
func (d *demo) runPod(n *node.Node) map[string]outcome {
	pod, err := n.RunPod("", "default", "shop", nil)
	if err != nil {
		d.Fatal(err)
	}
	defer pod.Remove()
	out := make(map[string]outcome)
	for _, w := range workloads {
		id, err := pod.Run(w.name, w.security)
		if err != nil {
			d.Fatal(err)
		}
		mode, _ := pod.Seccomp(id)
		said, err := pod.Exec(id, "/probe", "call", "keyctl", "unshare", "getpid")
		if err != nil {
			d.Fatal(err)
		}
		o := outcome{seccomp: mode}
		for line := range strings.Lines(said) {
			call, result, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch call {
			case "keyctl":
				o.keyctl = result
			case "unshare":
				o.unshare = result
			case "getpid":
				o.getpid = result
			}
		}
		out[w.name] = o
		show(fmt.Sprintf("%-10s  /proc/PID/status: Seccomp: %s   keyctl: %s   unshare -U: %s", w.name, o.seccomp, o.keyctl, o.unshare))
	}
	return out
}

const rules = `version: 1
absent: RuntimeDefault
rules:
- name: the monitoring agent loads BPF
  match: {pod: {namespace: [monitoring]}, container: [agent]}
  absent: Unconfined
- name: tenants must ask for a filter
  match: {kind: [Container], pod: {namespace: [tenant-*]}}
  absent: Deny
`

// exceptions shows a rule that excepts one container and one that refuses.
func (d *demo) exceptions(n *node.Node) {
	step(3, "A policy with two rules: an exception for one container, and a refusal.")
	d.writePolicy(n, rules)
	show(rules)
	pod, err := n.RunPod("", "monitoring", "agent-1", nil)
	if err != nil {
		d.Fatal(err)
	}
	id, err := pod.Run("agent", nil)
	if err != nil {
		d.Fatal(err)
	}
	mode, _ := pod.Seccomp(id)
	d.promise("the agent", mode, "0")
	fmt.Printf("   The agent runs without a filter (Seccomp: %s), as the rule says. In a tenant's namespace:\n", mode)
	pod.Remove()
	pod, err = n.RunPod("", "tenant-a", "web", nil)
	if err != nil {
		d.Fatal(err)
	}
	defer pod.Remove()
	_, err = pod.Run("web", nil)
	d.promise("the tenant", fmt.Sprint(err), `rule "tenants must ask for a filter" says absent: Deny`)
	show(fmt.Sprint(err))
	id, err = pod.Run("web-2", &cri.LinuxContainerSecurityContext{Seccomp: &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault}})
	if err != nil {
		d.Fatal(err)
	}
	mode, _ = pod.Seccomp(id)
	d.promise("the tenant that asks", mode, "2")
	fmt.Printf("   The same container with seccompProfile RuntimeDefault runs (Seccomp: %s).\n", mode)
}

// brokenPolicy shows that a mistake in the policy lets nothing through.
func (d *demo) brokenPolicy(n *node.Node) {
	step(4, "Somebody breaks the policy: \"absnet: Deny\". Nothing starts, and the error says what to mend.")
	d.writePolicy(n, strings.Replace(rules, "absent: RuntimeDefault", "absnet: RuntimeDefault", 1))
	_, err := n.RunPod("", "default", "shop", nil)
	d.promise("the broken policy", fmt.Sprint(err), `policy "/etc/batten/policy.yaml":2:1: unknown key "absnet"; did you mean "absent"?`)
	show(fmt.Sprint(err))
	d.writePolicy(n, rules)
	fmt.Println("   Mended; no restart is needed.")
}

// records shows the operator's table.
func (d *demo) records(n *node.Node) {
	step(5, "What runs now, and why: batten records.")
	pod, err := n.RunPod("", "default", "shop", nil)
	if err != nil {
		d.Fatal(err)
	}
	defer pod.Remove()
	for _, w := range workloads {
		id, err := pod.Run(w.name, w.security)
		if err != nil {
			d.Fatal(err)
		}
		pod.Seccomp(id) // waits until the program runs
	}
	var out []byte
	n.Eventually(5e9, "three attested records", func() error {
		out, err = n.Command("batten", "records").CombinedOutput()
		if err == nil && strings.Count(string(out), "Filtered (1)") != 3 {
			err = fmt.Errorf("%s", out)
		}
		return err
	})
	show(string(out))
}

// table prints what changed.
func (d *demo) table(before, after map[string]outcome) {
	fmt.Println("\nBefore and after:")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "   CONTAINER\tSHIM\tSeccomp\tkeyctl\tunshare -U\tgetpid")
	for _, c := range workloads {
		for _, side := range []struct {
			shim string
			o    outcome
		}{{"stock", before[c.name]}, {"batten", after[c.name]}} {
			fmt.Fprintf(w, "   %s\t%s\t%s\t%s\t%s\t%s\n", c.name, side.shim, side.o.seccomp, side.o.keyctl, side.o.unshare, side.o.getpid)
		}
	}
	w.Flush()
}

func (d *demo) writePolicy(n *node.Node, text string) {
	if err := os.WriteFile(filepath.Join(n.Etc, "policy.yaml"), []byte(text), 0o644); err != nil {
		d.Fatal(err)
	}
}
