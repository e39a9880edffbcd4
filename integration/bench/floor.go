package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// floorPolicy has a floor that takes from the default profile.
const floorPolicy = `version: 1
floor: denies
profiles:
  denies:
    inline:
      defaultAction: SCMP_ACT_ALLOW
      architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32]
      syscalls:
      - {names: [keyctl, add_key, request_key, bpf, io_uring_setup, userfaultfd], action: SCMP_ACT_ERRNO}
      - {names: [clone], action: SCMP_ACT_ERRNO, args: [{index: 0, value: 0x10000000, valueTwo: 0x10000000, op: SCMP_CMP_MASKED_EQ}]}
`

// floors ask what a floor adds to a start: to one that has the default forced on
// it, and to one that brings the default.
func (b *bench) floors() []comparison {
	brings := seccomp.WithDefaultProfile()
	goals := []string{"≤ 1.05"}
	return []comparison{
		{
			underPolicy("default forced", "", "auto"),
			[]variant{underPolicy("default forced, under a floor that takes calls from it", "", "denies")},
			goals,
		},
		{
			underPolicy("default brought along", "", "auto", brings),
			[]variant{underPolicy("default brought along, under RuntimeDefault", "", "default", brings)},
			goals,
		},
	}
}

// rewriteUnderFloor is the time from Create received to Create delegated with
// a floor, for the first and the second container of a shim.
func (b *bench) rewriteUnderFloor() {
	n := node.Start(b, b.engine)
	if err := os.WriteFile(filepath.Join(n.Etc, "policy.yaml"), []byte(floorPolicy), 0o644); err != nil {
		b.Fatal(err)
	}
	for i := range 5 * b.rounds {
		// Containers of one sandbox share a shim.
		pod := oci.WithAnnotations(map[string]string{"io.kubernetes.cri.sandbox-id": fmt.Sprintf("pod%d", i)})
		var made []*node.Created
		for range 2 {
			c, err := n.Start(node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{pod}})
			if err != nil {
				b.Fatal(err)
			}
			made = append(made, c)
		}
		for _, c := range made {
			c.Remove()
		}
		time.Sleep(50 * time.Millisecond) // the shim before has ended
	}
	took := delegated(n.Log())
	fmt.Printf("\n| Create received to Create delegated under a floor, %d shims | median ms | p90 ms | p99 ms | goal for p99 |\n| --- | --- | --- | --- | --- |\n", 5*b.rounds)
	var first, second []float64
	for i, t := range took {
		if i%2 == 0 {
			first = append(first, t)
		} else {
			second = append(second, t)
		}
	}
	for i, times := range [][]float64{first, second} {
		fmt.Printf("| %s container of a shim | %.2f | %.2f | %.2f | < 3 |\n", []string{"first", "second"}[i], median(times), quantile(times, 0.9), quantile(times, 0.99))
	}
}
