package learn

import (
	"testing"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
)

func TestWants(t *testing.T) {
	const long = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	shop := &record.Record{ID: long, Identity: policy.Identity{Kind: policy.Container, PodNamespace: "web", PodName: "shop-7d4b9", Container: "app", Image: "registry/shop:1"}}
	pause := &record.Record{ID: "pause", Identity: policy.Identity{Kind: policy.Sandbox, PodNamespace: "web", PodName: "shop-7d4b9"}}
	for _, tt := range []struct {
		name   string
		wanted Wanted
		id     string
		rec    *record.Record
		want   bool
	}{
		{name: "nothing", id: long, rec: shop},
		{name: "its id", wanted: Wanted{IDs: []string{"x", long}}, id: long, want: true},
		{name: "the first digits", wanted: Wanted{IDs: []string{long[:12]}}, id: long, want: true},
		{name: "too few of them", wanted: Wanted{IDs: []string{long[:11]}}, id: long},
		{name: "as tables have it", wanted: Wanted{IDs: []string{"k8s.io/" + long[:12]}}, id: long, want: true},
		{name: "another id", wanted: Wanted{IDs: []string{"c1"}}, id: "c10"},
		{name: "nobody knows whose it is", wanted: Wanted{IDs: []string{"c1"}}},
		{name: "its pod", wanted: Wanted{Pod: "web/shop-*"}, id: long, rec: shop, want: true},
		{name: "another namespace", wanted: Wanted{Pod: "dev/shop-*"}, id: long, rec: shop},
		{name: "pod and container", wanted: Wanted{Pod: "web/*", Container: "app"}, id: long, rec: shop, want: true},
		{name: "another container", wanted: Wanted{Pod: "web/*", Container: "sidecar"}, id: long, rec: shop},
		{name: "its image", wanted: Wanted{Image: "registry/shop:*"}, id: long, rec: shop, want: true},
		{name: "a name without a record", wanted: Wanted{Container: "*"}, id: long},
		{name: "a sandbox", wanted: Wanted{Pod: "web/shop-*"}, id: "pause", rec: pause},
		{name: "a sandbox by its id", wanted: Wanted{IDs: []string{"pause"}}, id: "pause", rec: pause, want: true},
	} {
		if got := tt.wanted.wants(tt.id, tt.rec); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if err := (Wanted{Pod: "["}).Check(); err == nil {
		t.Error("[ is taken for a glob")
	}
}

func TestIDIn(t *testing.T) {
	for cgroup, want := range map[string]string{
		"/kubepods/pod1/0123": "0123", "/kubepods.slice/cri-containerd-0123.scope": "0123", "/system.slice/docker-0123.scope": "0123",
		"/machine.slice/libpod-conmon-0123.scope": "0123", "/system.slice/nginx.service": "nginx.service", "/bt/test-1-2": "test-1-2", "/": "",
		"/machine.slice/libpod-0123.scope/container": "0123", "/system.slice/docker-0123.scope/init.scope": "0123",
		"/kubepods/pod1/known/init": "known", "/kubepods.slice/cri-containerd-known.scope/a/b": "known",
	} {
		if got := idIn(cgroup, []*record.Record{{ID: "known"}}); got != want {
			t.Errorf("%s: got %q, want %q", cgroup, got, want)
		}
	}
}
