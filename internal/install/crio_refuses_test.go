package install

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/names"
)

// TestCRIORefuses: nothing is written where it is not certain what CRI-O would do.
func TestCRIORefuses(t *testing.T) {
	const handler = "[crio.runtime.runtimes.%s]\nruntime_path = \"BIN/%s\"\n"
	crun := fmt.Sprintf(handler, "crun", "crun")
	for _, tt := range []struct {
		name  string
		files map[string]string
		set   func(*crioNode)
		want  string // of the error; empty for none
	}{
		{name: "packaged", files: map[string]string{"crio.conf.d/10-crio.conf": packaged}},
		{name: "in the main file", files: map[string]string{"crio.conf": packaged}},
		{name: "one handler and no default", files: map[string]string{"crio.conf": crun}},
		{
			name: "two handlers and no default", files: map[string]string{"crio.conf": crun + fmt.Sprintf(handler, "runc", "runc")},
			want: `which handler is CRI-O's default depends on its version, since no file sets default_runtime, and there is no crio to ask (exec: "crio": executable file not found in $PATH): name it by --wrap`,
		},
		{
			name: "two handlers and --wrap", files: map[string]string{"crio.conf": crun + fmt.Sprintf(handler, "runc", "runc")},
			set: func(n *crioNode) { n.Wrap = "runc" },
		},
		{
			name: "two handlers and a crio", files: map[string]string{"crio.conf": crun + fmt.Sprintf(handler, "runc", "runc")},
			set: func(n *crioNode) { n.program("crio", "#!/bin/sh\necho crio version 1.30.2\n") },
		},
		{
			name: "nothing", want: `which handler is CRI-O's default depends on its version, since no file sets default_runtime, and there is no crio to ask (exec: "crio": executable file not found in $PATH): name it by --wrap`,
		},
		{
			name: "CRI-O's own handler", files: map[string]string{"crio.conf": "[crio.runtime]\ndefault_runtime = \"crun\"\n"},
			want: `no file has CRI-O's handler "crun", so that its settings are unknown: write [crio.runtime.runtimes.crun] with its runtime_path into a file in ETC/crio.conf.d first (crio config --default shows CRI-O's own), or name another by --wrap; read: ETC/crio.conf`,
		},
		{
			name: "no TOML", files: map[string]string{"crio.conf.d/50-x": "[crio\n"},
			want: "ETC/crio.conf.d/50-x: toml: expected ']' to close table name; CRI-O reads every file there",
		},
		{
			name: "another's file", files: map[string]string{"crio.conf.d/10-crio.conf": packaged, "crio.conf.d/99-batten.conf": "# mine\n"},
			want: "ETC/crio.conf.d/99-batten.conf is there already and not Batten's; remove it, or name another with --config",
		},
		{
			name: "another's handler", files: map[string]string{"crio.conf": packaged, "crio.conf.d/20-x.conf": fmt.Sprintf(handler, "batten", "crun")},
			want: `ETC/crio.conf.d/20-x.conf has a handler "batten" already; choose another name with --handler`,
		},
		{
			name: "another's handler, and --handler", files: map[string]string{"crio.conf": packaged, "crio.conf.d/20-x.conf": fmt.Sprintf(handler, "batten", "crun")},
			set: func(n *crioNode) { n.Handler = "ours" },
		},
		{
			name: "a later default", files: map[string]string{"crio.conf.d/10-crio.conf": packaged, "crio.conf.d/zz.conf": "[crio.runtime]\ndefault_runtime = \"crun\"\n"},
			set:  func(n *crioNode) { n.Default = true },
			want: "ETC/crio.conf.d/zz.conf sets default_runtime, and CRI-O reads it after ETC/crio.conf.d/99-batten.conf: take that line out, or name a file that comes after it with --config",
		},
		{
			name: "a later default, and a handler", files: map[string]string{"crio.conf.d/10-crio.conf": packaged, "crio.conf.d/zz.conf": "[crio.runtime]\ndefault_runtime = \"crun\"\n"},
		},
		{
			name: "a VM", files: map[string]string{"crio.conf": "[crio.runtime]\ndefault_runtime = \"kata\"\n[crio.runtime.runtimes.kata]\nruntime_path = \"BIN/kata\"\nruntime_type = \"vm\"\n"},
			want: `ETC/crio.conf: handler "kata" is of the type "vm", which is not started as runc is; name another by --wrap`,
		},
		{
			name: "one that inherits", files: map[string]string{"crio.conf": packaged + "[crio.runtime.runtimes.fast]\ninherit_default_runtime = true\n"}, set: func(n *crioNode) { n.Wrap = "fast" },
			want: `ETC/crio.conf: handler "fast" takes its runtime from the default one (inherit_default_runtime); name that by --wrap`,
		},
		{
			name: "by platform", files: map[string]string{"crio.conf": crun + "platform_runtime_paths = {\"linux/arm64\" = \"/usr/bin/crun-arm\"}\n"},
			want: `ETC/crio.conf: handler "crun" has platform_runtime_paths, by which an image's platform chooses a runtime that bypasses Batten; take them out, or name another by --wrap`,
		},
		{
			name: "no program", files: map[string]string{"crio.conf": strings.Replace(crun, "BIN/crun", "/nowhere/crun", 1)},
			want: `ETC/crio.conf: handler "crun" has the runtime_path "/nowhere/crun", which is no program`,
		},
		{
			name: "no path, and one of its name", files: map[string]string{"crio.conf": "[crio.runtime.runtimes.crun]\nruntime_root = \"/run/crun\"\n"},
		},
		{
			name: "itself", files: map[string]string{"crio.conf": strings.Replace(crun, "BIN/crun", "BIN/batten-runc-crio", 1)},
			want: `ETC/crio.conf: handler "crun" calls batten-runc already; name another by --wrap`,
		},
		{
			name: "no link", files: map[string]string{"crio.conf": packaged}, set: func(n *crioNode) { os.Remove(filepath.Join(n.Bin, names.WrapperCRIO)) },
			want: "BIN/batten-runc-crio, by which CRI-O calls batten-runc, is no link to it: ln -sf batten-runc BIN/batten-runc-crio",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newCRIO(t, tt.files)
			if tt.set != nil {
				tt.set(n)
			}
			_, err := n.install()
			got := ""
			if err != nil {
				got = n.plain(err.Error())
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if _, err := os.Lstat(n.settings); (err == nil) != (tt.want == "") {
				t.Errorf("settings beside %q: %v", got, err)
			}
		})
	}
}
