package daemonset

import (
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/status"
)

// sayOlderPods names the pods that have a stock shim although Batten is the node's
// default: containers that these pods still start may bypass Batten.
func (a *Agent) sayOlderPods() {
	processes, err := procfs.All(a.host("/proc"))
	if err != nil {
		a.say("pods that are older than the installation are unknown: %v", err)
		return
	}
	pods := status.OlderPods(processes)
	if len(pods) == 0 {
		return
	}
	a.say("pods with a shim that is not Batten's: %d; their later containers may bypass Batten until the pods are deleted. On the node, batten status --older-pods lists them", len(pods))
	for _, pod := range pods {
		a.say("may bypass Batten: later containers of pod %s/%s (%.12s)", pod.Namespace, pod.Name, pod.ID)
	}
}
