package manifest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
)

func podOf(t *testing.T, spec string) *manifest.Pod {
	t.Helper()
	objects, err := manifest.Parse("pod.yaml", []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: "+spec+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := objects[0].Pod()
	if err != nil || p == nil {
		t.Fatal(p, err)
	}
	return p
}

func TestHostNamespaces(t *testing.T) {
	for spec, want := range map[string]string{
		`{containers: [{name: c}]}`:                                               "[host-user]",
		`{hostPID: true, containers: [{name: c}]}`:                                "[host-pid host-user]",
		`{hostNetwork: true, hostIPC: true, containers: [{name: c}]}`:             "[host-ipc host-network host-uts host-user]",
		`{hostUsers: false, containers: [{name: c}]}`:                             "[]",
		`{hostUsers: true, shareProcessNamespace: true, containers: [{name: c}]}`: "[host-user]",
	} {
		if got := fmt.Sprint(podOf(t, spec).HostNamespaces()); got != want {
			t.Errorf("%s: got %s, want %s", spec, got, want)
		}
	}
}

func TestHostPaths(t *testing.T) {
	for _, tt := range []struct{ name, mount, volume, want, note string }{
		{name: "hostPath", mount: `{name: v, mountPath: /x}`, volume: `hostPath: {path: /etc/batten}`, want: "/etc/batten"},
		{name: "a subPath", mount: `{name: v, mountPath: /x, subPath: batten/profiles}`, volume: `hostPath: {path: /etc/}`, want: "/etc/batten/profiles"},
		{name: "a subPathExpr", mount: `{name: v, mountPath: /x, subPathExpr: batten/$(NAME)/x}`, volume: `hostPath: {path: /etc}`, want: "/etc/batten"},
		{name: "a subPathExpr from the start", mount: `{name: v, mountPath: /x, subPathExpr: $(NAME)}`, volume: `hostPath: {path: /etc}`, want: "/etc"},
		{name: "a subPathExpr of one name", mount: `{name: v, mountPath: /x, subPathExpr: b$(NAME)}`, volume: `hostPath: {path: /etc}`, want: "/etc"},
		{name: "a subPathExpr without one", mount: `{name: v, mountPath: /x, subPathExpr: batten}`, volume: `hostPath: {path: /etc}`, want: "/etc/batten"},
		{name: "emptyDir", mount: `{name: v, mountPath: /x}`, volume: `emptyDir: {}`, want: "/var/lib/kubelet/pods/UID/volumes/v"},
		{name: "a claim", mount: `{name: v, mountPath: /x}`, volume: `persistentVolumeClaim: {claimName: c}`, note: `[volume "v" is of a claim, and may be a directory of the node: what it shows is unknown]`},
	} {
		p := podOf(t, `{containers: [{name: c, volumeMounts: [`+tt.mount+`]}, {name: d}], volumes: [{name: v, `+tt.volume+`}]}`)
		got, notes := p.HostPaths(p.Containers()[0])
		if tt.want != "" && !slices.Contains(got, tt.want) || tt.note != "" && fmt.Sprint(notes) != tt.note || tt.note == "" && notes != nil {
			t.Errorf("%s: got %q, %q; want %s, %s", tt.name, got, notes, tt.want, tt.note)
		}
		if other, _ := p.HostPaths(p.Containers()[1]); tt.want != "" && slices.Contains(other, tt.want) {
			t.Errorf("%s: a container without the mount has %q", tt.name, other)
		}
	}
}
