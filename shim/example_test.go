package shim

import (
	"fmt"

	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"google.golang.org/protobuf/types/known/anypb"
)

func Example() {
	sent, _ := anypb.New(&runtimeoptions.Options{ConfigBody: []byte("Policy = \"/etc/batten/strict.yaml\"\nSystemdCgroup = true\n")})
	opts, err := parseOptions(sent)
	fmt.Println(opts.policy, opts.runc.SystemdCgroup, opts.binary(), err)
	// Output:
	// /etc/batten/strict.yaml true runc <nil>
}
