package runc

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
)

// The name that batten-runc is called by says which engine calls it, and where its settings
// are.
func TestCallerOf(t *testing.T) {
	for _, tt := range []struct{ arg0, engine, settings, err string }{
		{arg0: "/usr/bin/batten-runc", settings: "/etc/batten/runc.toml"},
		{arg0: "batten-runc", settings: "/etc/batten/runc.toml"},
		{arg0: "/usr/bin/batten-runc-crio", engine: "cri-o", settings: "/etc/batten/runc-crio.toml"},
		{arg0: "batten-runc-crio", engine: "cri-o", settings: "/etc/batten/runc-crio.toml"},
		{arg0: "/opt/batten-runc-crio/batten-runc", settings: "/etc/batten/runc.toml"},
		{arg0: "/usr/bin/runc", settings: "/etc/batten/runc.toml"}, // BuildKit's PATH
		{arg0: "/usr/bin/batten-runc-0.3", settings: "/etc/batten/runc.toml"},
		{arg0: "/usr/bin/batten-runc-cri-o", err: "called by the name batten-runc-cri-o, which Batten does not know: CRI-O calls it batten-runc-crio, and other engines batten-runc"},
	} {
		by, err := callerOf(tt.arg0)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if by.engine != tt.engine || by.settings != tt.settings || got != tt.err {
			t.Errorf("%s: %q, %q, %s; want %q, %q, %s", tt.arg0, by.engine, by.settings, got, tt.engine, tt.settings, tt.err)
		}
	}
}

// A wrong name refuses containers before anything is read.
func TestMainRefusesName(t *testing.T) {
	var stderr bytes.Buffer
	if status := Main("/usr/bin/batten-runc-cri-o", []string{"create", "--bundle", t.TempDir(), "c"}, &stderr); status != 1 {
		t.Errorf("exit status %d", status)
	}
	if want := "batten-runc: called by the name batten-runc-cri-o, which Batten does not know: CRI-O calls it batten-runc-crio, and other engines batten-runc\n"; stderr.String() != want {
		t.Errorf("said %q, want %q", stderr.String(), want)
	}
}

// CRI-O's name under containerd's --root is a mistake of the configuration: containerd's
// annotations and CRI-O's would be taken for each other.
func TestPrepareRefusesContainerdsRoot(t *testing.T) {
	w := &wrapper{caller: crio, call: &Call{Root: "/run/containerd/runc/k8s.io", Command: "create", ID: "c", Bundle: t.TempDir()}, records: record.Store{Dir: t.TempDir()}}
	err := w.prepare()
	want := "batten: container refused: --root /run/containerd/runc/k8s.io is containerd's, and batten-runc-crio is the name for cri-o: have containerd call it batten-runc"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// The settings of one engine are not the other's, nor is the runtime that is taken without.
func TestConfigOfCaller(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"libexec/crun", "libexec/runc", "bin/runc", "bin/crun"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"crun", "runc"}; crio.runtimes[0] != want[0] || crio.runtimes[1] != want[1] || crio.dirs[0] != "/usr/libexec/crio" || crio.engine != names.CRIO {
		t.Errorf("CRI-O's runtime is looked for as %q in %q", crio.runtimes, crio.dirs)
	}
	for _, tt := range []struct {
		by   caller
		want string
	}{
		{caller{settings: "/nowhere/runc.toml", runtimes: others.runtimes, dirs: []string{filepath.Join(dir, "bin")}}, "bin/runc"},
		{caller{settings: "/nowhere/runc.toml", runtimes: crio.runtimes, dirs: []string{filepath.Join(dir, "libexec"), filepath.Join(dir, "bin")}}, "libexec/crun"},
	} {
		c, err := tt.by.config()
		if err != nil || c.Runtime != filepath.Join(dir, tt.want) {
			t.Errorf("%q: %v; want %s", c.Runtime, err, tt.want)
		}
	}
	none := caller{settings: "/nowhere/runc-crio.toml", runtimes: crio.runtimes, dirs: []string{"/nowhere"}}
	if _, err := none.config(); err == nil || err.Error() != `no crun or runc in /nowhere: name the real runtime in /nowhere/runc-crio.toml, as Runtime = "/path/of/it"` {
		t.Errorf("got %v", err)
	}
}
