package kernel

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/policy/profile"
)

// program writes a script that answers as a runtime would.
func program(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestRuntimeIsKept(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	features := func(version string) string {
		return `echo '{"annotations": {"io.github.seccomp.libseccomp.version": "` + version + `"}}'
`
	}
	path := filepath.Join(bin, "runc")
	program(t, path, features("2.5.6"))
	r := Runtime(dir, path)
	if r.Path != path || r.Libseccomp != "2.5.6" || !r.Knows("mseal") || r.Knows("listns") {
		t.Errorf("by features: %v", r)
	}
	if all := Runtimes(dir); len(all) != 1 || all[0].Path != path {
		t.Errorf("the node's runtimes are %v", all)
	}
	t.Setenv("PATH", bin)
	if all := Runtimes(t.TempDir()); len(all) != 1 || all[0].Path != path {
		t.Errorf("before any was asked, the node's runtimes are %v", all)
	}
	t.Setenv("PATH", t.TempDir())
	if all := Runtimes(t.TempDir()); len(all) != 0 {
		t.Errorf("without any, the node's runtimes are %v", all)
	}
	// What is kept counts for as long as the file is the same.
	kept, err := filepath.Glob(filepath.Join(dir, "runtime-*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	data, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(kept[0], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, ok := readRuntime(kept[0]); ok {
		t.Error("a file is believed that others can write")
	}
	if err := os.WriteFile(kept[0], data, 0o600); err != nil || os.Chmod(kept[0], 0o600) != nil {
		t.Fatal(err)
	}
	if _, ok := readRuntime(kept[0]); !ok {
		t.Error("the answer is not kept")
	}
	program(t, path, features("2.5.4")+"\n")
	if _, ok := readRuntime(kept[0]); ok {
		t.Error("the answer outlives the runtime")
	}
	if r := Runtime(dir, path); r.Knows("mseal") {
		t.Errorf("after an upgrade: %v", r)
	}
	// What does not tell knows as little as the oldest.
	program(t, path, "exit 1\n")
	for _, binary := range []string{path, filepath.Join(bin, "no-such-file")} {
		if r := Runtime(dir, binary); !r.Judged() || r.Knows("statx") || !r.Knows("keyctl") {
			t.Errorf("%s: %v", binary, r)
		}
	}
}

// The names in the library count for more than its version: distributions add some.
func TestLibraryIsTheBetterWitness(t *testing.T) {
	bin := t.TempDir()
	library := filepath.Join(bin, "libseccomp.so.2.5.4")
	var pool []byte
	for _, name := range profile.SyscallNames() {
		pool = append(append(pool, name...), 0)
	}
	if err := os.WriteFile(library, pool, 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(bin, "runc")
	kept := keptRuntime{}.fromLibrary(path, library)
	if r := kept.Runtime; r.Libseccomp != "2.5.4" || !r.Knows("listns") {
		t.Errorf("got %v", r)
	}
	if len(kept.From) != 1 || kept.From[0].Path != library {
		t.Errorf("from %v", kept.From)
	}
	if err := os.WriteFile(library, []byte("stripped"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := (keptRuntime{}).fromLibrary(path, library).Runtime; r.Libseccomp != "2.5.4" || r.Knows("listns") || !r.Knows("futex_waitv") {
		t.Errorf("by version: %v", r)
	}
}

func TestCallsAreKept(t *testing.T) {
	dir := t.TempDir()
	calls := Calls(dir)
	if !calls.Probed {
		t.Skip("this kernel shows no symbols")
	}
	if !calls.Has("clone3") || calls.Has("no_such_call") {
		t.Errorf("%+v", calls)
	}
	if err := os.WriteFile(filepath.Join(dir, callsFile), []byte(`{"probed":true,"lacks":["clone3"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if Calls(dir).Has("clone3") {
		t.Error("the answer is not kept")
	}
}

// The shim's server reaps all children. What a runtime answers is read all the same.
func TestAnswerWhereAnotherReaps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runc")
	program(t, path, `echo '{"annotations": {"io.github.seccomp.libseccomp.version": "2.5.6"}}'`+"\n")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			}
		}
	}()
	for range 20 {
		if got := versionInFeatures(path); got != "2.5.6" {
			t.Errorf("got %q", got)
		}
	}
	close(stop)
	<-stopped
}

// A runtime that writes without end is not read without end.
func TestAnswerIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flood")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec yes\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if got := len(answer(nil, path)); got != maxAnswer {
		t.Errorf("%d bytes were read, want %d", got, maxAnswer)
	}
	if took := time.Since(began); took > askLimit {
		t.Errorf("took %v", took)
	}
}

// What a runtime, or a wrapper that passes the question on, says that it is.
func TestRelease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oci")
	for _, tt := range []struct{ says, want string }{
		{says: "runc version 1.1.5+ds1\ncommit: 1.1.5\nspec: 1.0.2-dev", want: "runc 1.1.5"},
		{says: "runc version 1.5.2", want: "runc 1.5.2"},
		{says: "crun version 1.8.1\ncommit: f8a096be", want: "crun 1.8.1"},
		{
			says: "NVIDIA Container Runtime version 1.17.0\ncommit: 5bc0315\n\nrunc version 1.2.5",
			want: "runc 1.2.5",
		},
		{says: "youki version 0.5.0", want: "unknown"},
		{want: "unknown"},
	} {
		program(t, path, "cat <<'EOF'\n"+tt.says+"\nEOF\n")
		if got := Runtime("", path).Release; got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.says, got, tt.want)
		}
	}
	program(t, path, "echo runc version 1.1.5\n")
	dir := t.TempDir()
	first := Runtime(dir, path)
	if kept := Runtime(dir, path); kept.Release != "runc 1.1.5" || kept.Release != first.Release {
		t.Errorf("kept %q, found %q", kept.Release, first.Release)
	}
}
