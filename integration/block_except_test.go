package integration

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// TestBlockExcept: a block leaves out the pods of --except, those that start later and those that
// run, and holds for all others, also for one whose pod says that it is among those.
func TestBlockExcept(t *testing.T) {
	n := node.Start(t, newest, node.WithHandlers(handlers(t)...))
	setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
	batten := filepath.Join(node.Root(), "bin", "batten")
	run := func(name, namespace string, annotations map[string]string) (*node.Pod, string) {
		t.Helper()
		pod, err := n.RunPod("batten", namespace, name, annotations)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pod.Drop)
		id, err := pod.Run("main", nil)
		if err != nil {
			t.Fatal(err)
		}
		return pod, id
	}
	imitation := map[string]string{"io.kubernetes.cri.sandbox-namespace": "storage"}
	type running struct {
		pod       *node.Pod
		id, errno string
	}
	var all []running
	start := func(name string) {
		pod, id := run(name, "storage", nil)
		all = append(all, running{pod, id, "OK"})
		pod, id = run(name, "web", nil)
		all = append(all, running{pod, id, "EACCES"})
		pod, id = run(name+"-imitates", "web", imitation)
		all = append(all, running{pod, id, "EACCES"})
	}
	start("earlier")
	out, err := n.Command(batten, "block", "--running", "--json", "--errno", "EACCES", "--except", "{pod: {namespace: [storage]}}", "keyctl").CombinedOutput()
	var answer struct {
		Open            []json.RawMessage
		Closed, LeftOut int
		Tightened       []json.RawMessage
	}
	if jsonErr := json.Unmarshal(out, &answer); err != nil || jsonErr != nil || len(answer.Open) != 0 || answer.Closed != 4 || answer.LeftOut != 2 || len(answer.Tightened) != 4 {
		t.Fatalf("%v, %v\n%s", err, jsonErr, out)
	}
	start("later")
	for _, c := range all {
		said, err := c.pod.Exec(c.id, "/probe", "call", "getpid", "keyctl", "i386_keyctl")
		if want := calls("getpid", "OK", "keyctl", c.errno, "i386_keyctl", c.errno); err != nil || said != want {
			t.Errorf("%s/%s: %v: got\n%swant\n%s", c.pod.Namespace, c.pod.Name, err, said, want)
		}
	}
	wantSaid(t, n.Command(batten, "status", "--all"), "but block-keyctl leaves out {\"pod\":{\"namespace\":[\"storage\"]}}\n")
	wantSaid(t, n.Command(batten, "records", "--json"), ", and the drop-in of block-keyctl leaves it out")
}

// wantSaid checks what a command prints. Its exit status is another test's.
func wantSaid(t *testing.T, cmd *exec.Cmd, want string) {
	t.Helper()
	out, _ := cmd.CombinedOutput()
	if !strings.Contains(string(out), want) {
		t.Errorf("%q says\n%swithout\n%s", cmd.Args, out, want)
	}
}
