package install

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/rogpeppe/go-internal/diff"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%s", name, diff.Diff("want", want, "got", got))
	}
}

var options = Options{Handler: "batten", Default: true, Bin: "/usr/local/bin"}

// planned is what insert makes of one file by itself.
func planned(t *testing.T, path string, daemon version, o Options) (before, after []byte, err error) {
	t.Helper()
	before, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := readTOML(path, true, daemon)
	if err != nil {
		return before, nil, err
	}
	cri, _, err := tomlFiles{f}.cri(daemon)
	if err != nil {
		return before, nil, err
	}
	h, err := cri.handler(o, daemon)
	if err != nil {
		return before, nil, err
	}
	after, err = insert(before, f.plugin(), h, o)
	return before, after, err
}

// What is there stays as it is, and comes back: from a file that nobody changed,
// and from one that somebody did.
func TestContainerdText(t *testing.T) {
	for _, tt := range []struct {
		name, golden, wrap string
		daemon             version
	}{
		{"plain", "plain", "", version{1, 7}},
		{"plain", "plain-1.6", "", version{1, 6}},
		{"nvidia", "nvidia", "", version{1, 7}},
		{"nvidia", "nvidia-runc", "runc", version{2, 2}},
		{"kata", "kata", "", version{2, 4}},
		{"dotted", "dotted", "", version{2, 0}},
		{"crlf", "crlf", "", version{1, 7}},
		{"empty", "empty", "", version{2, 4}},
		{"empty", "empty-1.7", "", version{1, 7}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			o := options
			o.Wrap = tt.wrap
			before, after, err := planned(t, filepath.Join("testdata", tt.name+".toml"), tt.daemon, o)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.golden, diff.Diff("before", before, "after", after))
			s := &state{Existed: true, Before: before, After: digest(after), Handler: o.Handler}
			if got, err := s.undo(after, takeOutTOML); err != nil || !bytes.Equal(got, before) {
				t.Errorf("undone (%v):\n%s", err, diff.Diff("before", before, "undone", got))
			}
			mine := []byte("\n[grpc]\nuid = 7\n")
			want := append(bytes.Clone(before), mine...)
			got, err := s.undo(append(after, mine...), takeOutTOML)
			if err != nil || !sameTOML(t, got, want) || strings.Contains(string(got), "batten") {
				t.Errorf("undone after a change (%v):\n%s", err, diff.Diff("want", want, "got", got))
			}
		})
	}
}

func sameTOML(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y map[string]any
	if err := toml.Unmarshal(a, &x); err != nil {
		t.Error(err)
	}
	if err := toml.Unmarshal(b, &y); err != nil {
		t.Error(err)
	}
	delete(x, "version") // the empty file has got one
	delete(y, "version")
	p, _ := toml.Marshal(x)
	q, _ := toml.Marshal(y)
	return bytes.Equal(p, q)
}

// On containerd 1.6 a handler with a runtime of its own is wrapped only if
// batten-runc hands over to that.
func TestContainerd16Binary(t *testing.T) {
	o := options
	_, _, err := planned(t, "testdata/nvidia.toml", version{1, 6}, o)
	want := `handler "nvidia" runs /usr/bin/nvidia-container-runtime, and containerd 1.6 can come to Batten by batten-runc only, which would run another: write Runtime = "/usr/bin/nvidia-container-runtime" into /etc/batten/runc.toml first`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	o.Runtime = "/usr/bin/nvidia-container-runtime"
	if _, after, err := planned(t, "testdata/nvidia.toml", version{1, 6}, o); err != nil || !strings.Contains(string(after), "BinaryName = '/usr/local/bin/batten-runc'") {
		t.Errorf("the twin: %v\n%s", err, after)
	}
}

// What cannot be understood is refused, each beside a twin that can.
func TestContainerdRefusals(t *testing.T) {
	const cri = `[plugins."io.containerd.grpc.v1.cri".containerd`
	for _, tt := range []struct{ name, text, twin, want string }{
		{"no version", "[debug]\nlevel = 'info'\n", "version = 2\n[debug]\nlevel = 'info'\n", "says no version, which means 1; containerd config migrate makes a newer one of it"},
		{"a version to come", "version = 5\n", "version = 4\n", "is of version 5; Batten knows 2, 3 and 4"},
		{"no CRI", "version = 2\ndisabled_plugins = ['cri']\n", "version = 2\ndisabled_plugins = ['aufs']\n", "disables the CRI plugin, so that there is nothing to configure; for Docker's containers use --docker"},
		{"taken", "version = 2\n" + cri + ".runtimes.batten]\n", "version = 2\n" + cri + ".runtimes.other]\n", `there is a handler "batten" already; choose another name with --handler`},
		{
			"Kata", "version = 2\n" + cri + "]\ndefault_runtime_name = 'kata'\n" + cri + ".runtimes.kata]\nruntime_type = 'io.containerd.kata.v2'\n",
			"version = 2\n" + cri + "]\ndefault_runtime_name = 'kata'\n" + cri + ".runtimes.kata]\nruntime_type = 'io.containerd.runc.v2'\n",
			`handler "kata" has runtime_type "io.containerd.kata.v2"; Batten wraps io.containerd.runc.v2 only`,
		},
		{"another shim", "version = 2\n" + cri + ".runtimes.runc]\nruntime_path = '/opt/shim'\n", "version = 2\n" + cri + ".runtimes.runc]\nruntime_path = ''\n", `handler "runc" has a shim of its own, /opt/shim; Batten wraps containerd's`},
		{"no such handler", "version = 2\n" + cri + "]\ndefault_runtime_name = 'crun'\n", "version = 2\n" + cri + "]\ndefault_runtime_name = 'runc'\n", `there is no handler "crun" to wrap`},
		{
			"default_runtime", "version = 2\n" + cri + ".default_runtime]\nruntime_type = 'io.containerd.runc.v2'\n", "version = 2\n" + cri + ".default_runtime]\nruntime_type = ''\n",
			"it has the deprecated table containerd.default_runtime, which overrides default_runtime_name; move it to containerd.runtimes.runc",
		},
		{"inline", "version = 2\n[plugins.'io.containerd.grpc.v1.cri']\ncontainerd = {default_runtime_name = 'runc'}\n", "version = 2\n" + cri + "]\ndefault_runtime_name = 'runc'\n", "a handler cannot be put in beside what is there"},
		{"no TOML", "version = \n", "version = 2\n", "toml: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.toml")
			try := func(text string) error {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				_, _, err := planned(t, path, version{1, 7}, options)
				return err
			}
			if err := try(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if err := try(tt.twin); err != nil {
				t.Errorf("the twin: %v", err)
			}
		})
	}
}
