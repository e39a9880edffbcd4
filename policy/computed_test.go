package policy_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// memory is a policy.Computed.
type memory struct {
	data map[string][]byte
	gets int
}

func (m *memory) Get(key string) []byte {
	m.gets++
	return m.data[key]
}
func (m *memory) Put(key string, data []byte) { m.data[key] = data }

// What was computed for an earlier container is what would be computed now; what cannot be
// read is computed again.
func TestComputed(t *testing.T) {
	runtime := syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")
	runtime.Release = "runc 1.5.2"
	brought := profile.RuntimeDefault(profile.Capabilities)
	bare := specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActErrno}},
	}
	for name, own := range map[string]*specs.LinuxSeccomp{"none": nil, "a wide one": &brought, "no flags": &bare} {
		for _, mode := range []string{"Enforce", "Audit"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				text := "version: 1\nfloor: RuntimeDefault\ndenials: Count\nmode: " + mode + "\n"
				kept := &memory{data: make(map[string][]byte)}
				resolve := func(listener string, c policy.Computed) policy.Outcome {
					r := policy.Request{ContainerdNamespace: "x", Runtime: "io.containerd.batten.v2", Listener: listener}
					return parse(t, text).Resolve(r, own, policy.Machine{Runtime: runtime, Computed: c})
				}
				want := resolve("/b.sock", nil)
				if want.Refusal != "" || want.Observed == nil || want.Unobserved != "" {
					t.Fatalf("%s %s", want.Refusal, want.Unobserved)
				}
				same(t, "first", resolve("/a.sock", kept), resolve("/a.sock", nil))
				if len(kept.data) == 0 {
					t.Fatal("nothing was kept")
				}
				keys := slices.Sorted(maps.Keys(kept.data))
				same(t, "again", resolve("/b.sock", kept), want)
				if now := slices.Sorted(maps.Keys(kept.data)); !slices.Equal(now, keys) {
					t.Errorf("another listener is another computation: %q, then %q", keys, now)
				}
				for _, damage := range []string{"", "{", "{}", `{"seccomp": null}`, `{"seccomp": 1}`} {
					for _, key := range keys {
						kept.data[key] = []byte(damage)
					}
					same(t, "damaged: "+damage, resolve("/b.sock", kept), want)
				}
			})
		}
	}
}

func same(t *testing.T, what string, got, want policy.Outcome) {
	t.Helper()
	for _, p := range [][2]*specs.LinuxSeccomp{{got.Result, want.Result}, {got.Installed(), want.Installed()}} {
		if a, b := string(profile.Encode(*p[0])), string(profile.Encode(*p[1])); a != b {
			t.Errorf("%s:\n%s\nwant\n%s", what, a, b)
		}
	}
	if !slices.Equal(got.Notes, want.Notes) || got.Rewrite != want.Rewrite || got.Tightened() != want.Tightened() {
		t.Errorf("%s: %q %v, want %q %v", what, got.Notes, got.Rewrite, want.Notes, want.Rewrite)
	}
	if unseen := func(o *observe.Observed) []observe.Unseen { return o.Unseen }; !reflect.DeepEqual(unseen(got.Observed), unseen(want.Observed)) {
		t.Errorf("%s: unseen %v, want %v", what, got.Observed.Unseen, want.Observed.Unseen)
	}
}
