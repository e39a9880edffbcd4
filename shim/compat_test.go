package shim

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Each call of the task API is served under the older name too.
func TestTaskV2IsComplete(t *testing.T) {
	methods := taskMethods(struct{ task.TTRPCTaskService }{})
	api := reflect.TypeFor[task.TTRPCTaskService]()
	for i := range api.NumMethod() {
		if methods[api.Method(i).Name] == nil {
			t.Errorf("%s is missing", api.Method(i).Name)
		}
	}
	if len(methods) != api.NumMethod() {
		t.Errorf("%d methods, want %d", len(methods), api.NumMethod())
	}
}

func TestIsBootstrap(t *testing.T) {
	flags := startFlags{id: "c1", namespace: "k8s.io"}
	marshal := func(m proto.Message) []byte {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	typed, err := anypb.New(&options.Options{BinaryName: "runc"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		input []byte
		want  bool
	}{
		{name: "nothing (1.6 to 2.2 without options)"},
		{name: "options (1.6 to 2.2)", input: marshal(typed)},
		{
			name:  "bootstrap (2.3 and later)",
			input: marshal(&bootapi.BootstrapParams{InstanceID: "c1", Namespace: "k8s.io"}),
			want:  true,
		},
		{
			name:  "another container's",
			input: marshal(&bootapi.BootstrapParams{InstanceID: "c2", Namespace: "k8s.io"}),
		},
		{
			name:  "options that decode as bootstrap",
			input: marshal(&anypb.Any{TypeUrl: "c1", Value: []byte("x")}),
		},
		{name: "garbage", input: []byte{0xff, 0xff}},
	} {
		if got := isBootstrap(tt.input, flags); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestLegacyReply(t *testing.T) {
	result := &bootapi.BootstrapResult{Version: 3, Address: "unix:///run/s", Protocol: "ttrpc"}
	for _, tt := range []struct{ maxVersion, want string }{
		{want: "unix:///run/s"},
		{maxVersion: "2", want: `{"version":2,"address":"unix:///run/s","protocol":"ttrpc"}`},
	} {
		if got, err := legacyReply(result, tt.maxVersion); string(got) != tt.want || err != nil {
			t.Errorf("MAX_SHIM_VERSION=%q: got %s (%v), want %s", tt.maxVersion, got, err, tt.want)
		}
	}
}

// started notes what start was asked.
type started struct {
	containerdshim.Shim
	namespace string
	params    *bootapi.BootstrapParams
	err       error
}

func (s *started) Start(ctx context.Context, params *bootapi.BootstrapParams) (*bootapi.BootstrapResult, error) {
	s.namespace, _ = namespaces.Namespace(ctx)
	s.params = params
	return &bootapi.BootstrapResult{Address: "unix:///run/s", Protocol: "ttrpc"}, s.err
}

func TestStartLegacy(t *testing.T) {
	typed, err := anypb.New(&options.Options{ShimCgroup: "/shims"})
	if err != nil {
		t.Fatal(err)
	}
	input, err := proto.Marshal(typed)
	if err != nil {
		t.Fatal(err)
	}
	bundle := t.TempDir()
	flags, err := parseStartFlags([]string{"-namespace", "k8s.io", "-address", "/c.sock", "-publish-binary", "/containerd", "-id", "c1", "-bundle", bundle, "-debug", "start"})
	if err != nil || flags.action != "start" {
		t.Fatalf("%+v (%v)", flags, err)
	}
	var s started
	var stdout bytes.Buffer
	if err := startLegacy(context.Background(), &s, flags, input, "", &stdout); err != nil {
		t.Fatal(err)
	}
	var found options.Options
	if ok, err := s.params.FindExtension(&found); !ok || err != nil || found.ShimCgroup != "/shims" {
		t.Errorf("options did not come through: %v, %v (%v)", &found, ok, err)
	}
	if s.namespace != "k8s.io" || s.params.InstanceID != "c1" || s.params.ContainerdGrpcAddress != "/c.sock" || s.params.LogLevel != bootapi.LogLevel_LOG_LEVEL_DEBUG {
		t.Errorf("asked for %+v in %q", s.params, s.namespace)
	}
	address, err := os.ReadFile(filepath.Join(bundle, "address"))
	if stdout.String() != "unix:///run/s" || string(address) != "unix:///run/s" {
		t.Errorf("replied %q, left %q (%v)", stdout.String(), address, err)
	}
	s.err = errors.New("no")
	stdout.Reset()
	if err := startLegacy(context.Background(), &s, flags, input, "", &stdout); err == nil || stdout.Len() > 0 {
		t.Errorf("a failed start replied %q (%v)", stdout.String(), err)
	}
	if err := startLegacy(context.Background(), &s, flags, []byte{0xff}, "", &stdout); err == nil {
		t.Error("garbage options are taken")
	}
}
