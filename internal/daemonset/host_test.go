package daemonset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/testneeds"
)

// TestChoose: the host's distribution says where containerd listens and where programs can
// be run; what the flags say holds.
func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		name, file, text         string
		flags                    Agent
		wantSocket, wantBin, say string
	}{
		{name: "plain", wantSocket: "/run/containerd/containerd.sock", wantBin: Bin},
		{
			name: "k3s", file: "etc/systemd/system/k3s-agent.service",
			wantSocket: "/run/k3s/containerd/containerd.sock", wantBin: Bin, say: "this is a node of k3s\n",
		},
		{
			name: "gke", file: "etc/os-release", text: "ID=cos\n",
			wantSocket: "/run/containerd/containerd.sock", wantBin: "/home/kubernetes/bin/batten", say: "this is a node of gke\n",
		},
		{
			name: "flags", file: "etc/os-release", text: "ID=cos\n",
			flags:      Agent{Socket: "/run/own.sock", Install: install.Options{Bin: "/home/kubernetes/bin/own"}},
			wantSocket: "/run/own.sock", wantBin: "/home/kubernetes/bin/own", say: "this is a node of gke\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _, log := agent(t)
			a.Socket, a.Install = tt.flags.Socket, tt.flags.Install
			if tt.file != "" {
				put(t, a.host(tt.file), tt.text)
			}
			if err := a.Choose(); err != nil {
				t.Fatal(err)
			}
			if a.Socket != tt.wantSocket || a.Install.Bin != tt.wantBin || log.String() != tt.say {
				t.Errorf("socket %s, binaries %s, said %q", a.Socket, a.Install.Bin, log)
			}
		})
	}
}

// TestChooseRefuses: a distribution that the host is not of is not believed.
func TestChooseRefuses(t *testing.T) {
	a, _, _ := agent(t)
	put(t, a.host("etc/systemd/system/k3s.service"), "")
	a.Install.Distribution = "k0s"
	want := "this node is of k3s (/etc/systemd/system/k3s.service), not of k0s: its containerd reads "
	if err := a.Choose(); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s…", err, want)
	}
	a.Install.Distribution = "k3s"
	if err := a.Choose(); err != nil {
		t.Errorf("the twin: %v", err)
	}
}

// TestHomeElsewhere: with another directory of binaries only Batten's own files go from there.
func TestHomeElsewhere(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	a, dir, _ := agent(t)
	a.Install.Bin = "/home/kubernetes/bin/batten"
	mount(t, dir, "1", map[string]string{"policy.yaml": "version: 1\n"})
	theirs := a.host("/home/kubernetes/bin/batten/theirs")
	put(t, theirs, "")
	if err := a.copyBinaries(); err != nil {
		t.Fatal(err)
	}
	for _, name := range binaries {
		if _, err := os.Stat(a.host(filepath.Join(a.Install.Bin, name))); err != nil {
			t.Error(err)
		}
	}
	if err := a.removeFiles(); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(a.host("/home/kubernetes/bin/batten/*"))
	if !slices.Equal(left, []string{theirs}) {
		t.Errorf("left: %q", left)
	}
	if _, err := os.Stat(a.host(home)); err == nil {
		t.Errorf("%s was made", home)
	}
}

// TestConfigOf: this process names no configuration, another does.
func TestConfigOf(t *testing.T) {
	if got := configIn([]string{"containerd"}); got != "" {
		t.Errorf("got %q", got)
	}
	for _, args := range [][]string{
		{"containerd", "-c", "/x.toml", "-a", "/run/x.sock"}, {"/bin/containerd", "--config=/x.toml"}, {"containerd", "--log-level", "info", "--config", "/x.toml"},
	} {
		if got := configIn(args); got != "/x.toml" {
			t.Errorf("%q: got %q", args, got)
		}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
