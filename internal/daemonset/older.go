package daemonset

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/status"
)

// olderPause is the time between two counts of the older pods, of which drains delete one
// after the other.
const olderPause = 30 * time.Second

// maxOlder is how many older pods the annotation lists: a Node's annotations have a limit. The
// label counts all.
const maxOlder = 200

// sayOlderPods counts and names on the node, in the log and by an event the pods that have a
// stock shim although Batten is the node's default: containers that these pods still start may
// bypass Batten. It says only what has changed since it was last called.
func (a *Agent) sayOlderPods(ctx context.Context) error {
	if !a.Install.Default || time.Now().Before(a.older.next) {
		return nil
	}
	a.older.next = time.Now().Add(olderPause)
	pods, err := a.olderPods()
	label, list := strconv.Itoa(len(pods)), ""
	if err != nil {
		label = "unknown"
	} else if len(pods) > 0 {
		data, err := json.Marshal(pods[:min(len(pods), maxOlder)])
		if err != nil {
			return err
		}
		list = string(data)
	}
	if label == a.older.label && list == a.older.list {
		return nil
	}
	a.logOlderPods(pods, err)
	if a.Cluster != nil {
		if _, err := a.Cluster.mark(ctx, keys{Older: label}, keys{Older: none(list)}); err != nil {
			return err
		}
	}
	if len(pods) > 0 && a.older.label == "" {
		a.tell(ctx, hasOlderPods, "pods with a shim that is not Batten's: %d; their later containers may bypass Batten until the pods are deleted: drain the node. The annotation %s lists them", len(pods), Older)
	}
	a.older.label, a.older.list = label, list
	return nil
}

// olderCount is what was last said of the older pods, and when it is due again.
type olderCount struct {
	label, list string
	next        time.Time
}

func (a *Agent) olderPods() ([]status.OlderPod, error) {
	processes, err := procfs.All(a.host("/proc"))
	return status.OlderPods(processes), err
}

// logOlderPods names the pods in the log; once they are known, it says only how many are left.
func (a *Agent) logOlderPods(pods []status.OlderPod, unknown error) {
	switch {
	case unknown != nil:
		a.say("pods that are older than the installation are unknown: %v", unknown)
		return
	case a.older.label != "":
		a.say("pods with a shim that is not Batten's: %d now", len(pods))
		return
	case len(pods) == 0:
		return
	}
	a.say("pods with a shim that is not Batten's: %d; their later containers may bypass Batten until the pods are deleted. On the node, batten status --older-pods lists them", len(pods))
	for _, pod := range pods {
		a.say("may bypass Batten: later containers of pod %s/%s (%.12s)", pod.Namespace, pod.Name, pod.ID)
	}
}

// none is the value that takes a key off if there is nothing to write.
func none(s string) any {
	if s == "" {
		return nil
	}
	return s
}
