package install

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/internal/names"
)

// A handler that names a file of Batten's that is not there is not taken for one that
// goes through Batten.
func TestHandlersMissing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	put := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("podman", "", 0o755)
	put("dockerd", "", 0o755)
	crun := put("crun", "", 0o755)
	wrapper := filepath.Join(dir, names.Wrapper)
	configs := Configs{
		Docker: put("daemon.json", `{"default-runtime":"a","runtimes":{"a":{"runtimeType":"io.containerd.batten.v2"},"b":{"path":"`+wrapper+`"}}}`, 0o644),
		Podman: []string{put("containers.conf", "[engine]\nruntime = \"c\"\n[engine.runtimes]\nc = [\""+wrapper+"\"]\nd = [\""+wrapper+"\", \""+crun+"\"]\ne = [\"/none/runc\", \""+wrapper+"\"]\n", 0o644)},
	}
	want := func(what string, want ...Handler) {
		t.Helper()
		got, err := Handlers(configs)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %+v, %v", what, got, err)
		}
		for k := range got {
			if got[k] != want[k] {
				t.Errorf("%s:\ngot  %+v\nwant %+v", what, got[k], want[k])
			}
		}
	}
	runc := Handler{Engine: "docker", Name: "runc", By: runcType}
	shimMissing, wrapperMissing := names.Shim+" is missing", wrapper+" is missing"
	want("missing", runc,
		Handler{Engine: "docker", Name: "a", Default: true, Batten: true, By: "io.containerd.batten.v2", Missing: shimMissing},
		Handler{Engine: "docker", Name: "b", Batten: true, By: wrapper, Missing: wrapperMissing},
		Handler{Engine: "podman", Name: "c", Default: true, Batten: true, By: wrapper, Missing: wrapperMissing},
		Handler{Engine: "podman", Name: "d", By: crun, Missing: wrapperMissing},
		Handler{Engine: "podman", Name: "e", Batten: true, By: wrapper, Missing: wrapperMissing})
	put(names.Shim, "", 0o755)
	put(names.Wrapper, "", 0o755)
	want("there", runc,
		Handler{Engine: "docker", Name: "a", Default: true, Batten: true, By: "io.containerd.batten.v2"},
		Handler{Engine: "docker", Name: "b", Batten: true, By: wrapper},
		Handler{Engine: "podman", Name: "c", Default: true, Batten: true, By: wrapper},
		Handler{Engine: "podman", Name: "d", Batten: true, By: wrapper},
		Handler{Engine: "podman", Name: "e", Batten: true, By: wrapper})
}

type containerdHandlerCase struct {
	name, version, dump string
	want                []Handler
}

// containerdHandlerCases are configurations of containerd below dir, which is in PATH, and the
// handlers in them.
func containerdHandlerCases(t *testing.T, dir string) []containerdHandlerCase {
	t.Helper()
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	shim := filepath.Join(dir, names.Shim)
	const plugin = `[plugins."io.containerd.grpc.v1.cri".containerd`
	const stock = "runtime_type = \"" + runcType + "\"\n"
	for name, text := range map[string]string{
		names.Shim:    "",
		names.Wrapper: "",
		"config.toml": "",
		"containerd":  "#!/bin/sh\n[ \"$1\" = --version ] && exec cat " + dir + "/version\nexec cat " + dir + "/dump\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := plugin + "]\ndefault_runtime_name = \"runc\"\n" + plugin + ".runtimes.runc]\n" + stock + "runtime_path = \"" + shim + "\"\n"
	through := Handler{Engine: "containerd", Name: "runc", Default: true, Batten: true, By: runcType + ", " + shim}
	named := through
	named.Default = false
	return []containerdHandlerCase{
		{name: "1.7, by path", version: "1.7.35", dump: path, want: []Handler{through}},
		{
			name: "1.6, by path", version: "1.6.20~ds1", dump: path,
			want: []Handler{{Engine: "containerd", Name: "runc", Default: true, By: runcType}},
		},
		{
			name: "1.6, by type and wrapper", version: "1.6.20~ds1",
			dump: plugin + "]\ndefault_runtime_name = \"a\"\n" + plugin + ".runtimes.a]\nruntime_type = \"io.containerd.batten.v2\"\n" +
				plugin + ".runtimes.b]\n" + stock + plugin + ".runtimes.b.options]\nBinaryName = \"" + filepath.Join(dir, names.Wrapper) + "\"\n",
			want: []Handler{
				{Engine: "containerd", Name: "a", Default: true, Batten: true, By: "io.containerd.batten.v2"},
				{Engine: "containerd", Name: "b", Batten: true, By: runcType + ", " + filepath.Join(dir, names.Wrapper)},
			},
		},
		{
			name: "1.7, the deprecated default", version: "1.7.35", dump: path + plugin + ".default_runtime]\n" + stock,
			want: []Handler{{Engine: "containerd", Name: "default", Default: true, By: runcType}, named},
		},
		{
			name: "1.7, as containerd dumps it", version: "1.7.35", dump: path + plugin + ".default_runtime]\nruntime_type = \"\"\n",
			want: []Handler{through},
		},
		{
			name: "1.7, untrusted workloads", version: "1.7.35", dump: path + plugin + ".untrusted_workload_runtime]\n" + stock,
			want: []Handler{through, {Engine: "containerd", Name: "untrusted", By: runcType}},
		},
	}
}

// What a daemon ignores is not taken for a way to Batten: containerd 1.6 has no ear for
// runtime_path, and on 1.x two deprecated tables are handlers, one of them the default.
func TestContainerdHandlers(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range containerdHandlerCases(t, dir) {
		t.Run(tt.name, func(t *testing.T) {
			for name, text := range map[string]string{"version": "containerd x " + tt.version + "\n", "dump": tt.dump} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Handlers(Configs{Containerd: filepath.Join(dir, "config.toml")})
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%v\ngot  %+v\nwant %+v", err, got, tt.want)
			}
		})
	}
}

// A runtime_path has precedence over the type.
func TestBattenFile(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler map[string]any
		want    string
	}{
		{"type", map[string]any{"runtime_type": "io.containerd.batten.v2"}, names.Shim},
		{"path", map[string]any{"runtime_type": runcType, "runtime_path": "/x/" + names.Shim}, "/x/" + names.Shim},
		{"type and another path", map[string]any{"runtime_type": "io.containerd.batten.v2", "runtime_path": "/x/containerd-shim-runc-v2"}, ""},
		{"wrapper", map[string]any{"runtime_type": runcType, "options": map[string]any{"BinaryName": "/x/" + names.Wrapper}}, "/x/" + names.Wrapper},
		{"stock", map[string]any{"runtime_type": runcType}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := battenFile(tt.handler); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
