package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/status"
)

// olderPodsCommand is the command that prints pods for a drain, two words a line.
const olderPodsCommand = "batten status --older-pods"

// listOlderPods is that command. As JSON it prints what the DaemonSet writes into its node's
// annotation.
func listOlderPods(w io.Writer, proc string, asJSON bool) error {
	if err := ownProc(proc); err != nil {
		return err
	}
	processes, err := procfs.All(proc)
	if err != nil {
		return refused{err, "batten status reads /proc and the records: run it on the node, as root"}
	}
	pods := status.OlderPods(processes)
	if asJSON {
		return json.NewEncoder(w).Encode(append([]status.OlderPod{}, pods...)) // [] rather than null
	}
	printOlderPods(w, pods)
	return nil
}

// printOlderPods prints namespace and name of each pod, for kubectl. A pod whose names
// are unknown is a line that kubectl refuses, rather than one that is left out.
func printOlderPods(w io.Writer, pods []status.OlderPod) {
	for _, pod := range pods {
		if pod.Namespace == "" || pod.Name == "" {
			fmt.Fprintf(w, "unknown %s\n", pod.ID)
			continue
		}
		fmt.Fprintf(w, "%s %s\n", pod.Namespace, pod.Name)
	}
}

// tellOlderPods says which pods' later containers bypass Batten.
func tellOlderPods(w io.Writer, pods []status.OlderPod) {
	if len(pods) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s. Later containers of such a pod (restarts, init containers, kubectl debug) may bypass Batten until the pod is deleted:\n", heldByStock(pods))
	for _, pod := range pods {
		fmt.Fprintf(w, "  %s/%s (%.12s)\n", orUnknown(pod.Namespace), orUnknown(pod.Name), pod.ID)
	}
	fmt.Fprintf(w, "drain the node, or delete the pods that this lists: %s\n", olderPodsCommand)
}

func heldByStock(pods []status.OlderPod) string {
	verb := "have"
	if len(pods) == 1 {
		verb = "has"
	}
	return fmt.Sprintf("%s %s a shim that is not Batten's", plural(len(pods), "pod"), verb)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// noteOlderPods tells who makes Batten the default of the pods that it comes too late for.
func noteOlderPods(w io.Writer) {
	processes, err := procfs.All("/proc")
	if err != nil {
		fmt.Fprintf(w, "note: pods that are older than the installation are unknown: %v\n", err)
		return
	}
	if pods := status.OlderPods(processes); len(pods) > 0 {
		fmt.Fprintf(w, "note: %s: their later containers may bypass Batten until the pods are deleted; %s lists them\n", heldByStock(pods), olderPodsCommand)
	}
}
