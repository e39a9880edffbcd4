package shim

import (
	"testing"

	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/containerd/api/types/runc/options"
	runtimeoptions "github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// The runtime that is looked at before the server starts is the handler's.
func TestBinaryIn(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options proto.Message
		want    string
	}{
		{name: "none", want: "runc"},
		{name: "typed", options: &options.Options{BinaryName: "/usr/bin/crun"}, want: "/usr/bin/crun"},
		{name: "typed, without a name", options: &options.Options{SystemdCgroup: true}, want: "runc"},
		{name: "a table", options: &runtimeoptions.Options{ConfigBody: []byte("BinaryName = '/usr/bin/crun'\n")}, want: "/usr/bin/crun"},
		{name: "a broken table", options: &runtimeoptions.Options{ConfigBody: []byte("BinaryName = 1\n")}, want: "runc"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			params := &bootapi.BootstrapParams{}
			if tc.options != nil {
				any, err := anypb.New(tc.options)
				if err != nil {
					t.Fatal(err)
				}
				if err := params.AddExtension(any); err != nil {
					t.Fatal(err)
				}
			}
			if got := binaryIn(params); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
