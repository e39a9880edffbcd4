package record

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/integration/programs"
	"github.com/batten-runtime/batten/integration/strace"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestTruth: what is recorded of Debian's programs is what strace sees of the same run, call for
// call and on each architecture, and so are the arguments that decide. strace looks on from
// outside of the container, from before its first program is executed.
func TestTruth(t *testing.T) {
	set := programs.Installed(t, t.TempDir())
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	for i, p := range set.Programs {
		if p.Untraceable != "" {
			t.Logf("%s: left out: %s", p.Name, p.Untraceable)
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			n.In(t)
			to := filepath.Join(n.Dir, "truth.json")
			own := id(t, i)
			rec := begin(t, n, "record", "--id", own, "--until", "end", "--to", to, "--floor", "None")
			threads, runtime := traced(t, n, set, p, own)
			if status := rec.end(); status != 0 {
				t.Fatalf("exit status %d\n%s", status, rec.stderr())
			}
			r := read(t, strings.TrimSuffix(to, ".json")+".recording.json")
			if len(r.Containers) != 1 || !r.Containers[0].Start || !r.Containers[0].Ended {
				for _, c := range r.Containers {
					t.Logf("%s from %s to %s, start %v, ended %v, %d calls", c.ID, c.From, c.To, c.Start, c.Ended, len(c.Calls))
				}
				t.Fatalf("not one container, from its start to its end:\n%s", rec.stderr())
			}
			want, values := seen(threads, runtime)
			if got := names(r); !maps.Equal(got, want) {
				t.Errorf("recorded and not seen by strace: %v\nseen by strace and not recorded: %v", minus(got, want), minus(want, got))
			}
			if got := valuesOf(r); !maps.Equal(got, values) {
				t.Errorf("arguments recorded and not seen by strace: %v\nseen by strace and not recorded: %v", minus(got, values), minus(values, got))
			}
			t.Logf("%d calls, %d arguments", len(want), len(values))
		})
	}
}

func minus(a, b map[string]bool) (out []string) {
	for name := range a {
		if !b[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// traced runs a program while strace looks on. It returns strace's calls by thread, and the threads
// that were the runtime's: the first is the container's first process.
func traced(t *testing.T, n *node.Node, set *programs.Set, p programs.Program, own string) (map[int][]strace.Call, []int) {
	t.Helper()
	c, err := n.Create(node.Run{
		Runtime: node.Stock, ID: own, Args: p.Args(),
		// So that strace and the kernel number processes alike.
		Spec: append(set.Spec(p), oci.WithHostNamespace(specs.PIDNamespace)),
	})
	if err != nil {
		t.Fatal(err)
	}
	pid := int(c.Task.Pid())
	dir := t.TempDir()
	look := exec.Command("strace", slices.Concat(strace.Flags, []string{filepath.Join(dir, strace.File), "-p", strconv.Itoa(pid)})...)
	var complaints strings.Builder
	look.Stderr = &complaints
	if err := look.Start(); err != nil {
		t.Fatal(err)
	}
	defer look.Wait() // it ends with what it looks at
	var tasks []int
	n.Eventually(10*time.Second, "strace", func() error {
		if tasks, err = procfs.Tasks(pid); err != nil {
			return err
		}
		for _, tid := range tasks {
			if s, err := procfs.StatusOf(tid); err != nil || s.Tracer != look.Process.Pid {
				return fmt.Errorf("thread %d is not traced: %v %s", tid, err, complaints.String())
			}
		}
		return nil
	})
	if err := c.Task.Start(namespaces.WithNamespace(context.Background(), node.Namespace)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.WaitExit(); err != nil {
		t.Fatal(err)
	}
	c.Remove()
	if !strings.Contains(c.Output(), p.Wrote) {
		t.Errorf("it has not done its work: %q is not in\n%s", p.Wrote, c.Output())
	}
	_ = look.Wait()
	slices.SortFunc(tasks, func(a, b int) int { // the process first
		if a == pid {
			return -1
		}
		return a - b
	})
	return strace.Threads(t, dir), tasks
}

// seen returns the calls after the execve with which the container's program began, and the values
// of the arguments that decide. Threads of the runtime are left out, and what they made.
func seen(threads map[int][]strace.Call, runtime []int) (calls, values map[string]bool) {
	first := runtime[0]
	own := make(map[int]bool)
	cut := 0
	for i, c := range threads[first] {
		if c.Name == "execve" && c.Result == "0" {
			cut = i + 1
			break
		}
	}
	before := map[int][]strace.Call{first: threads[first][:cut]}
	for len(runtime) > 0 {
		tid := runtime[0]
		runtime = runtime[1:]
		own[tid] = true
		list := threads[tid]
		if tid == first {
			list = before[first]
		}
		for _, c := range list {
			if child, err := strconv.Atoi(c.Result); err == nil && child > 0 && !own[child] && strings.Contains("clone3 vfork", c.Name) && c.Name != "" {
				runtime = append(runtime, child)
			}
		}
	}
	calls, values = make(map[string]bool), make(map[string]bool)
	for tid, list := range threads {
		if tid == first {
			list = list[cut:]
		} else if own[tid] {
			continue
		}
		for _, c := range list {
			calls[nameOf(string(c.Arch), c.Name, int(c.Nr))] = true
			for _, d := range recorder.Deciding {
				if d.Name == c.Name && shown(c.Name) {
					values[fmt.Sprintf("%s %s %#x", c.Arch, c.Name, c.Args[d.Index])] = true
				}
			}
		}
	}
	return calls, values
}

// shown reports whether strace shows the argument that is recorded: of clone3 it shows where
// the flags are, and of socketcall and ipc the arguments of the call behind.
func shown(name string) bool { return name != "clone3" && name != "socketcall" && name != "ipc" }

// valuesOf are the arguments of a recording that can be compared.
func valuesOf(r *recording.Recording) map[string]bool {
	out := make(map[string]bool)
	for _, c := range r.Containers[0].Calls {
		for _, a := range c.Arguments {
			if shown(c.Name) {
				out[fmt.Sprintf("%s %s %#x", c.Arch, c.Name, a.Value)] = true
			}
		}
	}
	return out
}
