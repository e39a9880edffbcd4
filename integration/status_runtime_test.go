package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/status"
)

// TestStatusRuntime: containers that a runtime's command line made are found, by
// whichever process and in whichever way.
func TestStatusRuntime(t *testing.T) {
	n := node.Start(t, newest)
	for runtime, want := range map[string]struct {
		safe bool
		mode int
		text string
	}{
		"batten-runc": {safe: true, mode: 2, text: proved},
		"runc":        {text: "bypasses Batten; runs with no filter, and today's policy would not have it: " + asksNothing + "RuntimeDefault"},
	} {
		t.Run(runtime, func(t *testing.T) {
			id := "foreground-" + runtime
			bundle := n.Bundle(runtime, id, "/probe", "pause")
			run := n.Command(runtime, "run", "--bundle", bundle, id)
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				output(t, "delete", n.Command(runtime, "delete", "--force", id))
				_ = run.Wait()
			}()
			n.Eventually(10*time.Second, "the container", func() error {
				if all, _, _ := nodeStatus(t, n); all[id].Text != want.text {
					return fmt.Errorf("%v", all)
				}
				return nil
			})
			all, _, _ := nodeStatus(t, n)
			wantContainer(t, all, id, want.safe, want.mode, want.text)
			wantVerify(t, n, id, want.safe, want.text)
		})
	}
}

// TestStatusPaused: a container that does not stop is said to, in time, and the others
// are proved.
func TestStatusPaused(t *testing.T) {
	n := node.Start(t, newest)
	paused, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	runs, err := n.Start(node.Run{Runtime: node.Batten})
	if err != nil {
		t.Fatal(err)
	}
	n.WaitForExec(paused)
	n.WaitForExec(runs)
	output(t, "pause", n.Command("ctr", "-n", node.Namespace, "task", "pause", paused.ID))
	began := time.Now()
	all, _, _ := nodeStatus(t, n)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("batten status took %v", took)
	}
	if all[paused.ID].Kind == status.Proved && !node.Exists("/sys/fs/cgroup/freezer") {
		t.Skip("cgroup v2 lets a frozen process be traced")
	}
	verdict := fmt.Sprintf("cannot be proved: process %d does not stop (state D (disk sleep))", paused.Task.Pid())
	wantContainer(t, all, paused.ID, false, 2, verdict)
	wantContainer(t, all, runs.ID, true, 2, proved)
	wantVerify(t, n, paused.ID, false, verdict)
	wantVerify(t, n, runs.ID, true, proved)
	output(t, "resume", n.Command("ctr", "-n", node.Namespace, "task", "resume", paused.ID))
	all, _, _ = nodeStatus(t, n)
	wantContainer(t, all, paused.ID, true, 2, proved)
	n.Eventually(5*time.Second, "its release", func() error {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", paused.Task.Pid()))
		if err == nil && !strings.Contains(string(text), "State:\tS") || !strings.Contains(string(text), "TracerPid:\t0\n") {
			err = fmt.Errorf("%s", text)
		}
		return err
	})
}

// TestStatusHandlers: which handlers bypass Batten, on each engine. A default that does
// makes the node unsafe while nothing runs.
func TestStatusHandlers(t *testing.T) {
	n := node.Bare(t, newest)
	wrapped(t, n, n.Runtime())
	config := filepath.Join(n.Dir, "containerd.toml")
	writeFile(t, config, "version = 3\n")
	docker := n.DockerConfig()
	writeFile(t, docker, "{}")
	flags := []string{"--containerd", config, "--docker", docker}
	want := func(what string, want ...install.Handler) {
		t.Helper()
		_, got, _ := nodeStatus(t, n, flags...)
		for k := range got {
			got[k].By = ""
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
		for k := range got {
			if got[k] != want[k] {
				t.Errorf("%s: %v, want %v", what, got[k], want[k])
			}
		}
	}
	problems := func(what string, want ...string) {
		t.Helper()
		if s, exit := wholeStatus(t, n, flags...); !slices.Equal(s.Problems, want) || (exit == 0) != (len(want) == 0) {
			t.Errorf("%s: exit %d, problems %q\nwant %q", what, exit, s.Problems, want)
		}
	}
	bypasses := func(engine, name string) string {
		return engine + "'s default, " + name + ", bypasses Batten: only containers that name another one go through it"
	}
	want("as they come", install.Handler{Engine: "containerd", Name: "runc", Default: true},
		install.Handler{Engine: "docker", Name: "runc", Default: true}, install.Handler{Engine: "podman", Name: "crun", Default: true})
	problems("as they come", bypasses("containerd", "runc"), bypasses("docker", "runc"), bypasses("podman", "crun"))
	output(t, "install", n.Command("batten", "install", "--containerd", "--config", config, "--default"))
	output(t, "install", n.Command("batten", "install", "--docker", "--config", docker))
	output(t, "install", n.Command("batten", "install", "--podman", "--default"))
	want("installed", install.Handler{Engine: "containerd", Name: "batten", Default: true, Batten: true}, install.Handler{Engine: "containerd", Name: "runc"},
		install.Handler{Engine: "docker", Name: "runc", Default: true}, install.Handler{Engine: "docker", Name: "batten", Batten: true},
		install.Handler{Engine: "podman", Name: "batten-runc", Default: true, Batten: true})
	problems("installed", bypasses("docker", "runc"))
	output(t, "install", n.Command("batten", "install", "--docker", "--config", docker, "--default"))
	problems("all of them")
	shim := filepath.Join(n.Bin, "containerd-shim-batten-v2")
	if err := os.Rename(shim, shim+".gone"); err != nil {
		t.Fatal(err)
	}
	problems("without the shim", "docker cannot start containers by batten: containerd-shim-batten-v2 is missing")
	s, _ := wholeStatus(t, n, flags...)
	for _, h := range s.Handlers {
		if h.Engine == "docker" && h.Batten {
			t.Errorf("without the shim: %+v", h)
		}
	}
	if err := os.Rename(shim+".gone", shim); err != nil {
		t.Fatal(err)
	}
}
