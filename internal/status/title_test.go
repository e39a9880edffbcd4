package status

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/spec"
)

// Containers are called by their record, by an engine's file or, without a record, by CRI's
// annotations, which count in CRI's namespace alone.
func TestTitle(t *testing.T) {
	cri := `{"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.container-name":"main","io.kubernetes.cri.image-name":"img","io.kubernetes.cri.sandbox-namespace":"ns","io.kubernetes.cri.sandbox-name":"pod"}}`
	named := &record.Record{Identity: policy.Identity{Kind: policy.Container, Container: "own", PodNamespace: "ns", PodName: "pod"}}
	for _, tt := range []struct {
		name, namespace, spec string
		rec                   *record.Record
		want                  record.Called
		pod                   string
	}{
		{name: "CRI's", namespace: "k8s.io", spec: cri, want: record.Called{Name: "main", Image: "img", PodNamespace: "ns", PodName: "pod"}, pod: "ns/pod"},
		{name: "of a Docker user who writes what CRI would", namespace: "moby", spec: cri},
		{name: "by its record", namespace: "k8s.io", spec: cri, rec: named, want: record.Called{Name: "own", PodNamespace: "ns", PodName: "pod"}, pod: "ns/pod"},
		{name: "Docker's, by its record", namespace: "moby", spec: cri, rec: &record.Record{Called: record.Called{Name: "web", Image: "nginx"}}, want: record.Called{Name: "web", Image: "nginx"}},
		{name: "a sandbox", namespace: "k8s.io", rec: &record.Record{Identity: policy.Identity{Kind: policy.Sandbox, PodNamespace: "ns", PodName: "pod"}}, want: record.Called{Name: "(sandbox)", PodNamespace: "ns", PodName: "pod"}, pod: "ns/pod"},
		{name: "no bundle", namespace: "k8s.io"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Container{ID: "c", ContainerdNamespace: tt.namespace, Record: tt.rec}
			if tt.spec != "" {
				c.bundle = t.TempDir()
				if err := os.WriteFile(filepath.Join(c.bundle, spec.FileName), []byte(tt.spec), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := c.title(); got != tt.want || got.Pod() != tt.pod {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
