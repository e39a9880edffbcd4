package shim

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/pelletier/go-toml/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// knownOptions are the keys that a table may hold, spelled out a second time.
var knownOptions = []string{
	"Policy", "BinaryName", "Root", "SystemdCgroup", "NoPivotRoot", "NoNewKeyring", "ShimCgroup", "IoUid", "IoGid",
	"CriuImagePath", "CriuWorkPath", "TaskApiAddress", "TaskApiVersion", "CriuPath", "TypeUrl", "ConfigPath",
}

// FuzzOptions: options of any type and content are understood as a whole or
// refused, and what was understood reaches containerd's shim as it was.
func FuzzOptions(f *testing.F) {
	f.Add("runtimeoptions.v1.Options", []byte(all), true)
	f.Add("type.googleapis.com/runtimeoptions.v1.Options", []byte("policy = \"/x\"\nPolicy = \"/y\"\n"), true)
	f.Add("containerd.runc.v1.Options", []byte("\x12\x01x"), false)
	f.Add("x/y/containerd.runc.v1.Options", []byte{0xff}, false)
	f.Add("", []byte{}, false)
	f.Fuzz(func(t *testing.T, url string, body []byte, generic bool) {
		value := body
		if generic {
			var err error
			if value, err = proto.Marshal(&runtimeoptions.Options{ConfigBody: body}); err != nil {
				return
			}
		}
		sent := &anypb.Any{TypeUrl: url, Value: value}
		opts, err := parseOptions(sent)
		if err != nil {
			return
		}
		if opts.policy != "" && !filepath.IsAbs(opts.policy) {
			t.Fatalf("policy %q", opts.policy)
		}
		typed, err := opts.typed()
		if err != nil {
			return // a string that is not UTF-8: containerd's shim never sees it
		}
		again, err := parseOptions(typed)
		if err != nil || !proto.Equal(again.runc, opts.runc) {
			t.Fatalf("%v becomes %v (%v)", opts.runc, again.runc, err)
		}
		if generic && messageName(sent) == genericOptions {
			var table map[string]any
			if toml.Unmarshal(body, &table) != nil {
				return
			}
			seen := make(map[string]bool)
			for key := range table {
				same := func(known string) bool { return strings.EqualFold(known, key) }
				at := slices.IndexFunc(knownOptions, same)
				if at < 0 || seen[knownOptions[at]] {
					t.Fatalf("option %q was passed over", key)
				}
				seen[knownOptions[at]] = true
			}
		}
	})
}
