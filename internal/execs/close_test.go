package execs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/execs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// noKeyctl blocks keyctl(2).
func noKeyctl() specs.LinuxSeccomp {
	eperm := uint(1)
	return specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActErrno, ErrnoRet: &eperm}},
	}
}

// root makes a root of states with one container.
func root(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, "c", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func ExampleBlock_Close() {
	_, err := execs.New(noKeyctl()).Close(execs.Container{ID: "gone", Pid: 1})
	fmt.Println(err)
	// Output: the state that its runtime keeps is not found
}

// TestClose: the profile is as strict as the block afterwards, and all else stays.
func TestClose(t *testing.T) {
	// Allow is 4 in libcontainer, Errno 2, EqualTo 1.
	const allowing = `{"default_action":2,"architectures":["amd64","x86","x32"],"flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW"],"syscalls":[` +
		`{"name":"read","action":4,"errnoRet":null,"args":[]},{"name":"keyctl","action":4,"errnoRet":null,"args":[{"index":0,"value":5,"value_two":0,"op":1}]}],"default_errno_ret":38}`
	for _, tt := range []struct {
		name, file, under string
		files             map[string]string
		want              string
	}{
		{
			name: "runc, without a filter", file: "state.json", under: "config",
			files: map[string]string{"state.json": `{"id":"c","init_process_pid":7,"config":{"rootfs":"/a&b","seccomp":null}}`},
			want: `{"default_action":4,"architectures":["amd64","x86","x32"],"flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW"],"syscalls":[` +
				`{"name":"keyctl","action":2,"errnoRet":1,"args":[]}],"default_errno_ret":null}`,
		},
		{
			name: "runc, with one", file: "state.json", under: "config",
			files: map[string]string{"state.json": `{"id":"c","init_process_pid":7,"config":{"rootfs":"/a&b","seccomp":` + allowing + `}}`},
			want: `{"default_action":2,"architectures":["amd64","x86","x32"],"flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW"],"syscalls":[` +
				`{"name":"read","action":4,"errnoRet":null,"args":[]},{"name":"keyctl","action":2,"errnoRet":1,"args":[{"index":0,"value":5,"value_two":0,"op":1}]}],"default_errno_ret":38}`,
		},
		{
			name: "crun", file: "config.json", under: "linux",
			files: map[string]string{"status": `{"pid":7}`, "config.json": `{"ociVersion":"1.0.0","linux":{"rootfs":"/a&b"}}`},
			want: `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[` +
				`{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := root(t, tt.files)
			path, err := execs.New(noKeyctl()).Close(execs.Container{ID: "c", Pid: 7, Roots: []string{dir}})
			if err != nil || path != filepath.Join(dir, "c", tt.file) {
				t.Fatalf("%q, %v", path, err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var all, under map[string]json.RawMessage
			if err := errors.Join(json.Unmarshal(data, &all), json.Unmarshal(all[tt.under], &under)); err != nil {
				t.Fatal(err)
			}
			if got := string(under["seccomp"]); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			var rootfs string
			if _ = json.Unmarshal(under["rootfs"], &rootfs); rootfs != "/a&b" || len(all) < 2 {
				t.Errorf("lost is what else it had: %s", data)
			}
			if _, err := execs.New(noKeyctl()).Close(execs.Container{ID: "c", Pid: 7, Roots: []string{dir}}); err != nil {
				t.Error(err)
			}
			if again, _ := os.ReadFile(path); string(again) != string(data) {
				t.Errorf("again: %s", again)
			}
		})
	}
}

// TestCloseRefuses: what is not understood stays as it is.
func TestCloseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, state, want string }{
		{name: "another container's", state: `{"init_process_pid":8,"config":{}}`, want: execs.ErrUnknown.Error()},
		{name: "no JSON", state: `{`, want: execs.ErrUnknown.Error()},
		{name: "no configuration", state: `{"init_process_pid":7}`, want: "state.json: unexpected end of JSON input"},
		{name: "an action", state: `{"init_process_pid":7,"config":{"seccomp":{"default_action":10}}}`, want: "state.json: its profile: it has the number 10, which is none of libcontainer's"},
		{name: "an operator", state: `{"init_process_pid":7,"config":{"seccomp":{"default_action":4,"syscalls":[{"name":"a","action":2,"args":[{"op":8}]}]}}}`, want: "state.json: its profile: a: it has the number 8, which is none of libcontainer's"},
		{name: "an architecture", state: `{"init_process_pid":7,"config":{"seccomp":{"default_action":4,"architectures":["vax"]}}}`, want: `state.json: its profile: it has the architecture "vax", which is none of libcontainer's`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := root(t, map[string]string{"state.json": tt.state})
			_, err := execs.New(noKeyctl()).Close(execs.Container{ID: "c", Pid: 7, Roots: []string{dir}})
			if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if data, _ := os.ReadFile(filepath.Join(dir, "c", "state.json")); string(data) != tt.state {
				t.Errorf("it was changed: %s", data)
			}
		})
	}
}

// TestCloseManyListeners: what was made of one container's profile serves another's, but for the
// listener that each has of its own.
func TestCloseManyListeners(t *testing.T) {
	block := execs.New(noKeyctl())
	for _, listener := range []string{"/run/a.sock", "/run/b.sock", ""} {
		notify := `{"names":["mount"],"action":"SCMP_ACT_NOTIFY"},`
		path := fmt.Sprintf(`"listenerPath":%q,`, listener)
		if listener == "" {
			notify, path = "", ""
		}
		config := `{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO",` + path + `"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[` + notify + `{"names":["read","keyctl"],"action":"SCMP_ACT_ALLOW"}]}}}`
		dir := root(t, map[string]string{"status": `{"pid":7}`, "config.json": config})
		if _, err := block.Close(execs.Container{ID: "c", Pid: 7, Roots: []string{dir}}); err != nil {
			t.Fatal(err)
		}
		var closed specs.Spec
		data, err := os.ReadFile(filepath.Join(dir, "c", "config.json"))
		if err := errors.Join(err, json.Unmarshal(data, &closed)); err != nil {
			t.Fatal(err)
		}
		if s := closed.Linux.Seccomp; s.ListenerPath != listener || strings.Contains(fmt.Sprint(s.Syscalls), "read keyctl") {
			t.Errorf("listener %q: it has %q and %+v", listener, s.ListenerPath, s.Syscalls)
		}
	}
}
