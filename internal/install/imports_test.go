package install

import (
	"path/filepath"
	"testing"
)

// In containerd 1.x the last file with the CRI plugin's table has all of it, in
// 2.x the last word on what it says.
func TestImports(t *testing.T) {
	dir := t.TempDir()
	const cri = `[plugins."io.containerd.grpc.v1.cri".containerd`
	main := filepath.Join(dir, "config.toml")
	write0(t, main, "version = 2\nimports = ['conf.d/*.toml']\n"+cri+"]\ndefault_runtime_name = 'crun'\n"+cri+".runtimes.crun]\nruntime_type = 'io.containerd.runc.v2'\n")
	write0(t, filepath.Join(dir, "conf.d/20.toml"), "version = 2\n[debug]\nlevel = 'info'\n")
	write0(t, filepath.Join(dir, "conf.d/10.toml"), "version = 2\n"+cri+".runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n")
	for _, tt := range []struct {
		daemon  version
		wrapped string
	}{{version{1, 7}, "runc"}, {version{2, 1}, "crun"}} {
		files, err := readImports(main, tt.daemon)
		if err != nil || len(files) != 3 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		cri, file, err := files.cri(tt.daemon)
		if err != nil || filepath.Base(file.path) != "10.toml" {
			t.Errorf("%v: %s is to be edited (%v), want 10.toml", tt.daemon, file.path, err)
		}
		if name, _, err := cri.wrapped(options); name != tt.wrapped || err != nil {
			t.Errorf("%v: %q is wrapped (%v), want %q", tt.daemon, name, err, tt.wrapped)
		}
	}
}
