package bypass

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// The annotations by which containers share a shim.
const (
	groupAnnotation   = "io.containerd.runc.v2.group"
	sandboxAnnotation = "io.kubernetes.cri.sandbox-id"
)

// joining runs a container that names the group of a stock container, which runs.
func joining(annotation string, group func(holder string) string, opts func(a *attempt) any) func(*attempt) string {
	return func(a *attempt) string {
		holder, err := a.Start(node.Run{Runtime: node.Stock})
		a.must(err)
		defer holder.Remove()
		run := node.Run{Spec: []oci.SpecOpts{oci.WithAnnotations(map[string]string{annotation: group(holder.ID)})}}
		if opts != nil {
			run.Options = opts(a)
		}
		return a.run(run)
	}
}

func itself(holder string) string { return holder }

// wrapper has the stock shim call batten-runc on the side that goes through Batten.
func (a *attempt) wrapper() any {
	if !a.batten {
		return &options.Options{}
	}
	a.batten = false // the shim is the stock one
	settings := filepath.Join(a.Etc, "runc.toml")
	a.write(settings, "Runtime = \""+a.Runtime()+"\"\n")
	a.later(func() { _ = os.Remove(settings) })
	return &options.Options{BinaryName: filepath.Join(a.Bin, "batten-runc")}
}

var groupRows = []row{
	{
		name: "the group of a stock shim", try: joining(groupAnnotation, itself, nil), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "the sandbox of a stock shim", try: joining(sandboxAnnotation, itself, nil),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "the group of a stock shim, by a path", try: joining(groupAnnotation, func(holder string) string { return "../" + node.Namespace + "/" + holder }, nil),
		stock: "OK", batten: "refused: annotation io.containerd.runc.v2.group: \"../test/", end: stopped, why: "",
	},
	{
		name:  "the group of a stock shim, in Batten's directory",
		try:   joining(groupAnnotation, func(holder string) string { return "batten/" + holder }, nil),
		stock: "OK", batten: "refused: names no group", end: stopped,
	},
	{
		name: "the group of a stock shim, with batten-runc",
		try:  joining(groupAnnotation, itself, (*attempt).wrapper), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{name: "the group of a stock container that has ended", try: func(a *attempt) string {
		holder, err := a.Start(node.Run{Runtime: node.Stock})
		a.must(err)
		holder.Remove()
		return a.run(node.Run{Spec: []oci.SpecOpts{oci.WithAnnotations(map[string]string{groupAnnotation: holder.ID})}})
	}, stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "a group of one's own, and then another container of it", try: func(a *attempt) string {
		group := oci.WithAnnotations(map[string]string{groupAnnotation: "shared"})
		first, err := a.Start(node.Run{Runtime: a.runtime(), Spec: []oci.SpecOpts{group}})
		a.must(err)
		defer first.Remove()
		return a.run(node.Run{Spec: []oci.SpecOpts{group}})
	}, stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "a later container of a pod that is older than the installation", try: func(a *attempt) string {
		older, err := a.RunPod("", "default", "older", nil)
		a.must(err)
		defer older.Remove()
		if a.batten {
			a.Restart(node.Handler{Name: "runc", Type: node.Batten})
			a.later(func() { a.Restart() })
			newer, err := a.RunPod("", "default", "newer", nil)
			a.must(err)
			defer newer.Remove()
			if got := a.inPod(newer); got != "EPERM" {
				a.t.Errorf("a container of a newer pod: %s", got)
			}
		}
		return a.inPod(older)
	}, stock: "OK", batten: "OK", end: limit, why: "A pod that is older than the installation"},
}

// inPod says what came of a call in a container that a pod starts now.
func (a *attempt) inPod(pod *node.Pod) string {
	a.t.Helper()
	id, err := pod.Run("later", nil)
	a.must(err)
	out, err := pod.Exec(id, "/probe", "call", "keyctl")
	a.must(err)
	return last(out)
}

func TestGroups(t *testing.T) { try(t, groupRows) }

// TestGroupsOfPods: a pod of the handler batten that names the group of a pod of the
// stock handler gets a shim of Batten's, on each daemon and by both forms of the handler.
func TestGroupsOfPods(t *testing.T) {
	for _, engine := range []string{"containerd-2.4", "containerd-2.2", "containerd-1.7", "debian"} {
		t.Run(engine, func(t *testing.T) {
			pass := []string{"io.containerd.*"}
			handlers := []node.Handler{
				{Name: "runc", Type: node.Stock, PodAnnotations: pass},
				{Name: "batten", Type: node.Batten, PodAnnotations: pass},
			}
			if engine != "debian" { // containerd 1.6 has no runtime_path
				handlers = append(handlers, node.Handler{Name: "path", Type: node.Stock, Path: node.Shim(t), PodAnnotations: pass})
			}
			n := node.Start(t, engine, node.WithHandlers(handlers...))
			holder, err := n.RunPod("runc", "default", "holder", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Remove()
			for _, h := range handlers {
				want := "2"
				if h.Name == "runc" {
					want = "0"
				}
				pod, err := n.RunPod(h.Name, "default", "joins", map[string]string{groupAnnotation: holder.ID})
				if err != nil {
					t.Errorf("%s: %v", h.Name, err)
					continue
				}
				id, err := pod.Run("c", nil)
				if err != nil {
					t.Errorf("%s: a container: %v", h.Name, err)
				} else if mode, _ := pod.Seccomp(id); mode != want {
					t.Errorf("%s: a container has Seccomp: %s, want %s", h.Name, mode, want)
				}
				if mode, _ := pod.Seccomp(""); mode != want {
					t.Errorf("%s: the sandbox has Seccomp: %s, want %s", h.Name, mode, want)
				}
				pod.Remove()
			}
		})
	}
}
