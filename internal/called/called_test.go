package called_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/batten-runtime/batten/internal/called"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/spec"
)

const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestOf(t *testing.T) {
	dir := t.TempDir()
	dockers := filepath.Join(dir, "data", "containers", id)
	storage := filepath.Join(dir, "overlay-containers")
	write(t, filepath.Join(dockers, "config.v2.json"), `{"ID":"`+id+`","Name":"/web","Config":{"Image":"nginx:1"}}`)
	write(t, filepath.Join(dir, "other", "containers", id, "config.v2.json"), `{"ID":"another","Name":"/web"}`)
	write(t, filepath.Join(storage, "containers.json"), `[{"id":"x"},{"id":"`+id+`","names":["db"],"metadata":"{\"image-name\":\"docker.io/library/db:2\"}"}]`)
	write(t, filepath.Join(dir, "volatile", "volatile-containers.json"), `[{"id":"`+id+`","names":["short"],"metadata":"{}"}]`)
	mount := func(source string) string { return `{"mounts":[{"source":"/x"},{"source":"` + source + `"}]}` }
	crio := func(kind, more string) string {
		return `{"annotations":{"io.kubernetes.cri-o.ContainerType":"` + kind + `","io.kubernetes.pod.namespace":"ns","io.kubernetes.pod.name":"pod","io.kubernetes.container.name":"main"` + more + `}}`
	}
	for _, tt := range []struct {
		name, bundle, spec string
		want               record.Called
	}{
		{name: "nobody's", bundle: dir, spec: `{}`},
		{name: "Docker's", bundle: dir, spec: mount(dockers + "/hostname"), want: record.Called{Name: "web", Image: "nginx:1"}},
		{name: "another file there", bundle: dir, spec: mount(dockers + "/data")},
		{name: "another container's", bundle: dir, spec: mount(filepath.Join(dir, "other", "containers", id, "hosts"))},
		{name: "no such file", bundle: dir, spec: mount("/nowhere/containers/" + id + "/hosts")},
		{name: "Podman's", bundle: filepath.Join(storage, id, "userdata"), spec: `{}`, want: record.Called{Name: "db", Image: "docker.io/library/db:2"}},
		{name: "Podman's without a file to stay", bundle: filepath.Join(dir, "volatile", id, "userdata"), spec: `{}`, want: record.Called{Name: "short"}},
		{name: "Podman's sandbox", bundle: filepath.Join(storage, id, "userdata"), spec: `{"annotations":{"io.kubernetes.cri-o.ContainerType":"sandbox"}}`, want: record.Called{Name: "db", Image: "docker.io/library/db:2"}},
		{name: "no list", bundle: filepath.Join(dir, id, "userdata"), spec: `{}`},
		{name: "CRI-O's", bundle: dir, spec: crio("container", `,"io.kubernetes.cri-o.ImageName":"img"`), want: record.Called{Name: "main", Image: "img", PodNamespace: "ns", PodName: "pod"}},
		{name: "CRI-O's sandbox", bundle: dir, spec: crio("sandbox", ""), want: record.Called{Name: "(sandbox)", PodNamespace: "ns", PodName: "pod"}},
		{name: "a terminal's commands", bundle: dir, spec: crio("container", `,"io.kubernetes.cri-o.ImageName":"\u001b[2Jimg"`), want: record.Called{Name: "main", Image: `"\x1b[2Jimg"`, PodNamespace: "ns", PodName: "pod"}},
		{name: "long", bundle: dir, spec: crio("container", `,"io.kubernetes.cri-o.ImageName":"`+strings.Repeat("i", 300)+`"`), want: record.Called{Name: "main", Image: strings.Repeat("i", 256) + "…", PodNamespace: "ns", PodName: "pod"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := spec.Parse([]byte(tt.spec))
			if err != nil {
				t.Fatal(err)
			}
			if got := called.Of(tt.bundle, id, s); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// A file that never ends, or whose reader waits for a writer, holds up nobody.
func TestOfDoesNotWait(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "containers", id)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "config.v2.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := spec.Parse([]byte(`{"mounts":[{"source":"` + dir + `/hosts"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := called.Of(dir, id, s); got != (record.Called{}) {
		t.Errorf("%+v", got)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
