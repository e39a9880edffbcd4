package shim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// all is a table that sets every option.
const all = `
Policy = "/etc/batten/strict.yaml"
BinaryName = "/usr/bin/crun"
Root = "/run/crun"
SystemdCgroup = true
NoPivotRoot = true
NoNewKeyring = true
ShimCgroup = "/shims"
IoUid = 1
IoGid = 2
CriuPath = ""
CriuImagePath = "/images"
CriuWorkPath = "/work"
TaskApiAddress = "unix:///x"
TaskApiVersion = 3
TypeUrl = "runtimeoptions.v1.Options"
ConfigPath = ""
`

func want() *options.Options {
	return &options.Options{
		BinaryName: "/usr/bin/crun", Root: "/run/crun", SystemdCgroup: true, NoPivotRoot: true,
		NoNewKeyring: true, ShimCgroup: "/shims", IoUid: 1, IoGid: 2, CriuImagePath: "/images",
		CriuWorkPath: "/work",
		//lint:ignore SA1019 daemons still send them
		TaskApiAddress: "unix:///x", TaskApiVersion: 3,
	}
}

type optionsCase struct {
	name   string
	sent   *anypb.Any
	runc   *options.Options
	policy string
}

// optionsCases are options as daemons send them, and what runc gets.
func optionsCases(t *testing.T) []optionsCase {
	t.Helper()
	file := filepath.Join(t.TempDir(), "options.toml")
	if err := os.WriteFile(file, []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	pack := func(m proto.Message) *anypb.Any {
		out, err := anypb.New(m)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// As daemons send it: typeurl's URL has no host.
	bare, err := typeurl.MarshalAnyToProto(want())
	if err != nil {
		t.Fatal(err)
	}
	return []optionsCase{
		{name: "none", runc: &options.Options{}},
		{name: "empty", sent: &anypb.Any{}, runc: &options.Options{}},
		{name: "an empty table", sent: pack(&runtimeoptions.Options{}), runc: &options.Options{}},
		{name: "typed", sent: pack(want()), runc: want()},
		{name: "typed, by typeurl", sent: bare, runc: want()},
		{
			name: "generic body", sent: pack(&runtimeoptions.Options{ConfigBody: []byte(all)}),
			runc: want(), policy: "/etc/batten/strict.yaml",
		},
		{
			name: "generic file",
			sent: pack(&runtimeoptions.Options{TypeUrl: "x", ConfigPath: file}), runc: want(),
			policy: "/etc/batten/strict.yaml",
		},
		{
			name: "generic, empty",
			sent: pack(&runtimeoptions.Options{TypeUrl: "runtimeoptions.v1.Options"}),
			runc: &options.Options{},
		},
		{
			name: "a file wins over a body",
			sent: pack(&runtimeoptions.Options{ConfigPath: file, ConfigBody: []byte("Root = 1")}),
			runc: want(), policy: "/etc/batten/strict.yaml",
		},
	}
}

func TestParseOptions(t *testing.T) {
	for _, tt := range optionsCases(t) {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseOptions(tt.sent)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(got.runc, tt.runc) || got.policy != tt.policy {
				t.Errorf("got  %v, policy %q\nwant %v, policy %q", got.runc, got.policy, tt.runc, tt.policy)
			}
			typed, err := got.typed()
			if err != nil {
				t.Fatal(err)
			}
			if typed == nil {
				return
			}
			// containerd's shim reads it back as what it casts to.
			v, err := typeurl.UnmarshalAny(typed)
			if _, ok := v.(*options.Options); !ok || err != nil {
				t.Errorf("containerd reads %T (%v)", v, err)
			}
		})
	}
}

// containerd 1.6 drops what its table holds, and with it perhaps the policy.
func TestLostTable(t *testing.T) {
	const refusal = `runtime options: containerd 1.6 does not pass the options table on; put it into a file and write ConfigPath = "/path/of/it", or remove the table`
	pack := func(m proto.Message) *anypb.Any {
		out, err := anypb.New(m)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tt := range []struct {
		name, maxVersion string
		sent             *anypb.Any
		want             string
	}{
		{name: "1.6, a table", sent: pack(&runtimeoptions.Options{}), want: refusal},
		{name: "1.6, a file", sent: pack(&runtimeoptions.Options{ConfigPath: "/x"})},
		{name: "1.6, no table"},
		{name: "1.6, runc's type", sent: pack(&options.Options{})},
		{
			name: "1.7 and later, an empty table", maxVersion: "2",
			sent: pack(&runtimeoptions.Options{}),
		},
	} {
		t.Setenv("MAX_SHIM_VERSION", tt.maxVersion)
		got := ""
		if err := lost(tt.sent); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got  %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// Options are recognised in TOML by the name that containerd gives them.
func TestEachRuncOptionHasAKey(t *testing.T) {
	fields := (&options.Options{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		var key strings.Builder
		for part := range strings.SplitSeq(string(fields.Get(i).Name()), "_") {
			key.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
		if !strings.Contains(all, "\n"+key.String()+" = ") {
			t.Errorf("containerd's option %s is not read", key.String())
		}
	}
}
