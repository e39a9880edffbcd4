package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/integration/node"
)

// audit shows what a policy would break, and what to write so that it does not.
func (d *demo) audit(n *node.Node) {
	step(6, "A program that sets its memory policy, as databases do. In an audit it runs, and what\nenforcement would deny is seen.")
	d.writePolicy(n, "version: 1\nmode: Audit\n")
	pod, err := n.RunPod("", "shop", "database-0", nil)
	if err != nil {
		d.Fatal(err)
	}
	id, err := pod.Run("database", nil)
	if err != nil {
		d.Fatal(err)
	}
	d.promise("the audit", d.memoryPolicy(pod, id), "set_mempolicy: OK")
	var out []byte
	n.Eventually(10e9, "the denial", func() error {
		out, err = n.Command("batten", "denials", "--pod", "shop/database-0").CombinedOutput()
		if err == nil && !strings.Contains(string(out), "would be EPERM") {
			err = fmt.Errorf("%s", out)
		}
		return err
	})
	show(string(out))
	out, err = n.Command("batten", "suggest", "--pod", "shop/database-0").Output()
	if err != nil {
		d.Fatalf("batten suggest: %v", err)
	}
	pod.Remove()
	fmt.Println("   batten suggest turns that into a policy. Its first lines, and its last:")
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	show(strings.Join(lines[:min(6, len(lines))], "\n") + "\n…\n" + strings.Join(lines[max(0, len(lines)-10):], "\n"))

	for _, tt := range []struct{ name, policy, want string }{
		{"enforced", "version: 1\n", "set_mempolicy: EPERM"},
		{"enforced, with the suggestion", string(out), "set_mempolicy: OK"},
	} {
		d.writePolicy(n, tt.policy)
		pod, err := n.RunPod("", "shop", "database-0", nil)
		if err != nil {
			d.Fatal(err)
		}
		id, err := pod.Run("database", nil)
		if err != nil {
			d.Fatal(err)
		}
		said := d.memoryPolicy(pod, id)
		d.promise(tt.name, said, tt.want)
		mode, _ := pod.Seccomp(id)
		d.promise(tt.name, mode, "2")
		show(fmt.Sprintf("%-30s %s", tt.name, said))
		pod.Remove()
	}
	if err := os.Remove(filepath.Join(n.Etc, "policy.yaml")); err != nil {
		d.Fatal(err)
	}
}

// memoryPolicy has a container's program make the call, and returns what it says.
func (d *demo) memoryPolicy(pod *node.Pod, id string) string {
	said, err := pod.Exec(id, "/probe", "call", "set_mempolicy")
	if err != nil {
		d.Fatal(err)
	}
	return strings.TrimSpace(said)
}
