package shim

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/record"
	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
)

func TestSocketDir(t *testing.T) {
	for _, tt := range []struct{ stock, want string }{
		{stock: "", want: "/run/containerd/s/batten"},
		{stock: "/run/containerd/s", want: "/run/containerd/s/batten"},
		{stock: "/run/k3s/containerd/s", want: "/run/k3s/containerd/s/batten"},
		{stock: "/" + strings.Repeat("a", 34), want: "/" + strings.Repeat("a", 34) + "/batten"},
		{stock: "/" + strings.Repeat("a", 35), want: "/run/containerd/s/batten"},
	} {
		if got := socketDir(tt.stock); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.stock, got, tt.want)
		}
	}
}

// bundleOf makes a bundle with annotations the working directory.
func bundleOf(t *testing.T, annotations map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	text, err := json.Marshal(map[string]any{"annotations": annotations})
	if err == nil {
		err = os.WriteFile("config.json", text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Start has containerd's code look for the group's shim in Batten's directory only, and
// refuses what is no group.
func TestStartInGroup(t *testing.T) {
	for _, tt := range []struct {
		name        string
		annotations map[string]string
		want        string // the error's text; empty if it starts
	}{
		{name: "no group"},
		{name: "a group", annotations: map[string]string{groupAnnotations[0]: "abc"}},
		{name: "a sandbox", annotations: map[string]string{groupAnnotations[1]: "abc"}},
		{
			name: "another namespace's", annotations: map[string]string{groupAnnotations[0]: "../moby/abc"},
			want: `batten: container refused: annotation io.containerd.runc.v2.group: "../moby/abc" names no group: remove the annotation, or give it a name without slashes`,
		},
		{
			name: "another namespace's sandbox", annotations: map[string]string{groupAnnotations[1]: ".."},
			want: `batten: container refused: annotation io.kubernetes.cri.sandbox-id: ".." names no group: remove the annotation, or give it a name without slashes`,
		},
		{
			name:        "one that does not count",
			annotations: map[string]string{groupAnnotations[0]: "abc", groupAnnotations[1]: "../x"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bundleOf(t, tt.annotations)
			var s started
			b := bootstrap{Shim: &s, records: record.Store{Dir: t.TempDir()}}
			_, err := b.Start(t.Context(), &bootapi.BootstrapParams{})
			if tt.want != "" {
				if err == nil || err.Error() != tt.want || s.params != nil {
					t.Errorf("got  %v\nwant %s", err, tt.want)
				}
				return
			}
			if err != nil || s.params.GetSocketDir() != "/run/containerd/s/batten" {
				t.Errorf("socket directory %q (%v)", s.params.GetSocketDir(), err)
			}
			if link, err := os.Readlink("s"); link != "/run/containerd/s/batten" {
				t.Errorf("the server is told %q (%v)", link, err)
			}
		})
	}
}

// FuzzGroup: whatever annotations say, no two of Batten's groups have one socket, and
// none has one that a stock shim could have. The address is containerd's own.
func FuzzGroup(f *testing.F) {
	f.Add("/run/containerd/s", "k8s.io", "abc", "moby", "../k8s.io/abc")
	f.Add("", "k8s.io", "abc/debug", "k8s.io", "abc")
	f.Add("/run/k3s/containerd/s", "k8s.io", ".", "k8s.io", "batten/abc")
	f.Add("/run/containerd/s/batten", "a", "", "b", "..")
	f.Fuzz(func(t *testing.T, dir, namespace, group, otherNamespace, other string) {
		address := func(dir, namespace, group string) string {
			if namespace == "" || namespace == "." || namespace == ".." || strings.Contains(namespace, "/") {
				return "" // no namespace's name: containerd's identifiers.Validate
			}
			ctx := namespaces.WithNamespace(context.Background(), namespace)
			address, err := containerdshim.CreateSocketAddress(ctx, dir, "/run/containerd/containerd.sock", group, false)
			if err != nil {
				return ""
			}
			return address
		}
		accepted := func(group string) bool {
			_, err := groupOf(map[string]string{groupAnnotations[0]: group})
			return err == nil
		}
		if dir == "" {
			dir = "/run/containerd/s"
		}
		if !filepath.IsAbs(dir) || filepath.Clean(dir) != dir || len(dir) > maxSocketDir {
			return // refused by the daemon
		}
		ours := address(socketDir(dir), namespace, group)
		if ours == "" || !accepted(group) {
			return
		}
		if stock := address(dir, otherNamespace, other); stock == ours {
			t.Errorf("%q in %s and a stock shim's %q in %s listen on %s", group, namespace, other, otherNamespace, ours)
		}
		same := namespace == otherNamespace && group == other
		if theirs := address(socketDir(dir), otherNamespace, other); accepted(other) && !same && theirs == ours {
			t.Errorf("%q in %s and %q in %s listen on %s", group, namespace, other, otherNamespace, ours)
		}
	})
}
