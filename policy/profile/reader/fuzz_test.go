package reader_test

import (
	"encoding/json"
	"testing"

	"github.com/batten-runtime/batten/policy/profile/reader"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzRead: whatever a file holds, what Read returns for containerd and Docker is what
// their code decodes, and an error where they have one.
func FuzzRead(f *testing.F) {
	for _, file := range files(f) {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > semantics.MaxSize {
			t.Skip()
		}
		var plain specs.LinuxSeccomp
		var docker seccomp.Seccomp
		for engine, err := range map[reader.Engine]error{
			reader.Containerd: json.Unmarshal(data, &plain),
			reader.Docker:     json.Unmarshal(data, &docker),
		} {
			p, findings := engine.Read("f.json", data)
			if p == nil && findings.Err() == nil {
				t.Errorf("%s: neither a profile nor an error", engine)
			}
			if p != nil && err != nil {
				t.Errorf("%s: a profile of what is not read: %v", engine, err)
			}
			if p == nil || engine == reader.Docker {
				continue
			}
			if got, want := text(resolved(p)), text(&plain); got != want {
				t.Errorf("%s: got\n%s\nwant\n%s", engine, got, want)
			}
		}
	})
}
