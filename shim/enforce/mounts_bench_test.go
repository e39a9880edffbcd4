package enforce

import (
	"fmt"
	"testing"
)

// BenchmarkShown is a usual container's mounts, and one of the kubelet's directory, on
// a node with 5,000 mounts.
func BenchmarkShown(b *testing.B) {
	mounts := []mount{{device: "8:1", root: "/", point: "/"}}
	for i := range 5000 {
		m := mount{device: fmt.Sprintf("0:%d", i), root: "/", point: fmt.Sprintf("/var/lib/kubelet/pods/%d/volumes/x", i)}
		if i%5 == 0 {
			m.device, m.root = "8:1", fmt.Sprintf("/var/lib/volumes/%d", i)
		}
		mounts = append(mounts, m)
	}
	t := table(mounts...)
	for _, path := range []string{"/var/lib/kubelet/pods/4001/volumes/x", "/usr/share", "/var/lib/kubelet"} {
		b.Run(path[1:4], func(b *testing.B) {
			for b.Loop() {
				t.shown(path)
			}
		})
	}
}
