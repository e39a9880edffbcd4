package called

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/spec"
)

// Of returns what the engine calls the container of a bundle; empty where it does not say,
// or is none that is known.
func Of(bundle, id string, s *spec.Spec) record.Called {
	for _, engine := range []func(string, string, *spec.Spec) record.Called{crio, podman, docker} {
		if c := engine(bundle, id, s); c != (record.Called{}) {
			return record.Called{Name: plain(c.Name), Image: plain(c.Image), PodNamespace: plain(c.PodNamespace), PodName: plain(c.PodName)}
		}
	}
	return record.Called{}
}

// crio reads CRI-O's annotations, and the kubelet's labels among them. Podman marks its
// pods' sandboxes in the same way, and they have no name there.
func crio(_, _ string, s *spec.Spec) record.Called {
	a := s.Annotations
	kind, pod := a["io.kubernetes.cri-o.ContainerType"], a["io.kubernetes.pod.name"]
	if kind == "" || pod == "" {
		return record.Called{}
	}
	c := record.Called{PodNamespace: a["io.kubernetes.pod.namespace"], PodName: pod}
	if kind == "sandbox" {
		c.Name = "(sandbox)"
		return c
	}
	c.Name, c.Image = a["io.kubernetes.container.name"], a["io.kubernetes.cri-o.ImageName"]
	return c
}

// podman reads containers/storage's list: the bundle is ID/userdata in the directory that
// has it.
func podman(bundle, id string, _ *spec.Spec) record.Called {
	own := filepath.Dir(bundle)
	if filepath.Base(bundle) != "userdata" || filepath.Base(own) != id {
		return record.Called{}
	}
	type entry struct {
		ID, Metadata string
		Names        []string
	}
	for _, list := range []string{"containers.json", "volatile-containers.json"} {
		var all []entry
		read(filepath.Join(filepath.Dir(own), list), &all)
		i := slices.IndexFunc(all, func(e entry) bool { return e.ID == id })
		if i < 0 {
			continue
		}
		var c record.Called
		if len(all[i].Names) > 0 {
			c.Name = all[i].Names[0]
		}
		var meta struct {
			Image string `json:"image-name"`
		}
		_ = json.Unmarshal([]byte(all[i].Metadata), &meta)
		c.Image = meta.Image
		return c
	}
	return record.Called{}
}

// dockerMounts are the files that Docker makes for each container, where they are in it.
// They stand beside config.v2.json.
var dockerMounts = []string{"resolv.conf", "hostname", "hosts"}

// docker reads dockerd's file of the container.
func docker(_, id string, s *spec.Spec) record.Called {
	for _, m := range s.Mounts {
		dir, file := filepath.Split(m.Source)
		if !slices.Contains(dockerMounts, file) || filepath.Base(dir) != id || filepath.Base(filepath.Dir(filepath.Clean(dir))) != "containers" {
			continue
		}
		var c struct {
			ID, Name string
			Config   struct{ Image string }
		}
		if read(filepath.Join(dir, "config.v2.json"), &c); c.ID == id {
			return record.Called{Name: strings.TrimPrefix(c.Name, "/"), Image: c.Config.Image}
		}
	}
	return record.Called{}
}

// maxSize bounds the files that are read.
const maxSize = 4 << 20

// read decodes a regular file of root's; what cannot be read leaves v as it is. Whoever
// makes a spec names the file, so nothing waits for it.
func read(path string, v any) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSize {
		return
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return
	}
	if data, err := io.ReadAll(io.LimitReader(f, maxSize)); err == nil {
		_ = json.Unmarshal(data, v)
	}
}

// maxName is how much of a name is kept.
const maxName = 256

// plain returns a name as a terminal may have it, cut where it is long.
func plain(s string) string {
	if len(s) > maxName {
		s = strings.ToValidUTF8(s[:maxName], "") + "…"
	}
	for _, r := range s {
		if r == utf8.RuneError || r == ' ' || !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}
