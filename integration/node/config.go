package node

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Handler is one runtime handler of the CRI plugin.
type Handler struct {
	Name string
	// Type is runtime_type, Path runtime_path.
	Type, Path string
	// Options are lines of TOML for the options table.
	Options []string
	// PodAnnotations are passed through from pods to specs.
	PodAnnotations []string
}

// configuration is the daemon's config.toml.
func (n *Node) configuration() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("version = %d", n.Engine.config)
	line("root = %q", filepath.Join(n.Dir, "root"))
	line("state = %q", "/run/containerd")
	line(`disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing"]`)
	line("[grpc]\naddress = %q", n.Socket)
	line("[debug]\nlevel = %q", n.logLevel)
	images := `plugins."io.containerd.cri.v1.images"`
	cri := `plugins."io.containerd.cri.v1.runtime"`
	if n.Engine.config == 2 {
		cri = `plugins."io.containerd.grpc.v1.cri"`
		images = cri
		line("[%s]\nsandbox_image = %q", cri, Image)
	} else {
		line("[plugins.\"io.containerd.cri.v1.images\".pinned_images]\nsandbox = %q", Image)
		line("[%s]", cri)
	}
	line("restrict_oom_score_adj = true")
	bin, conf := "/nonexistent", "/nonexistent"
	if n.cluster {
		bin, conf = filepath.Join(Cache(), "cni/usr/lib/cni"), n.cni()
	}
	if n.cluster {
		line("[%s.registry]\nconfig_path = %q", images, n.mirrors())
	}
	line("[%s.cni]\nconf_dir = %q", cri, conf)
	if n.Engine.config == 2 {
		line("bin_dir = %q", bin)
	} else {
		line("bin_dirs = [%q]", bin)
	}
	line("[%s.containerd]\ndefault_runtime_name = %q", cri, "runc")
	for _, h := range n.handlers {
		line("[%s.containerd.runtimes.%s]\nruntime_type = %q", cri, h.Name, h.Type)
		if h.Path != "" {
			line("runtime_path = %q", h.Path)
		}
		if len(h.PodAnnotations) > 0 {
			line(`pod_annotations = ["%s"]`, strings.Join(h.PodAnnotations, `", "`))
		}
		if len(h.Options) == 0 {
			continue
		}
		line("[%s.containerd.runtimes.%s.options]", cri, h.Name)
		for _, o := range h.Options {
			line("%s", o)
		}
	}
	return b.String()
}
