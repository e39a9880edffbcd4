package overview_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/denials/overview"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleCall() {
	d := denials.Denial{
		Kind:   denials.Kind{Arch: specs.ArchX86_64, Syscall: "unshare", Action: specs.ActErrno, Errno: 1},
		Sample: denials.Sample{Pid: 7, Comm: "bwrap", Args: [6]uint64{0x10000000}},
	}
	fmt.Println(overview.Call(&d, specs.ArchX86_64), overview.Result(d.Kind), overview.By(d.Sample))
	// Output: unshare(CLONE_NEWUSER) EPERM bwrap[7]
}

// Only of an observed container may it be said that nothing was denied.
func TestUnobserved(t *testing.T) {
	seen := &record.Denials{Answer: record.Denied}
	for _, tt := range []struct {
		name string
		c    overview.Container
		want string
	}{
		{name: "observed", c: overview.Container{Record: &record.Record{Denials: seen}, Counts: &denials.Counts{}}},
		{name: "observed, no counts yet", c: overview.Container{Record: &record.Record{Denials: seen}}},
		{name: "the policy is silent", c: overview.Container{Record: &record.Record{}}, want: "not observed: the policy does not ask for it, or denies nothing"},
		{name: "it cannot be", c: overview.Container{Record: &record.Record{Denials: &record.Denials{Not: "nobody listens"}}}, want: "not observed: nobody listens"},
		{name: "broken", c: overview.Container{Record: &record.Record{Denials: seen}, Counts: &denials.Counts{Broken: "closed"}}, want: "no longer observed: closed"},
		{name: "gone", c: overview.Container{Counts: &denials.Counts{}}, want: "no longer observed: its record is gone"},
	} {
		if got := tt.c.Unobserved(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What a process calls itself ends no line of a table.
func TestBy(t *testing.T) {
	for _, tt := range []struct {
		comm, want string
	}{{comm: "nginx", want: "nginx[7]"}, {comm: "a\nb\x1b[1m", want: "a?b?[1m[7]"}, {want: "?[7]"}} {
		if got := overview.By(denials.Sample{Pid: 7, Comm: tt.comm}); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestUnseen(t *testing.T) {
	var all []observe.Unseen
	for i := range 6 {
		all = append(all, observe.Unseen{Name: fmt.Sprint("call", i), Why: "a reason"})
	}
	all = append(all, observe.Unseen{Arches: []specs.Arch{specs.ArchX32}, Why: "another"})
	c := overview.Container{Record: &record.Record{Denials: &record.Denials{Unseen: all}}}
	want := "call0, call1, call2, call3 and 2 more: a reason|calls of SCMP_ARCH_X32: another"
	if got := strings.Join(c.Unseen(), "|"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSince(t *testing.T) {
	at := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	c := overview.Container{Counts: &denials.Counts{Denials: []denials.Denial{{Last: at}, {Last: at.Add(time.Minute)}}}}
	for _, tt := range []struct {
		since time.Time
		want  int
	}{{want: 2}, {since: at, want: 2}, {since: at.Add(time.Second), want: 1}, {since: at.Add(time.Hour)}} {
		if got := len(c.Since(tt.since)); got != tt.want {
			t.Errorf("since %v: %d, want %d", tt.since, got, tt.want)
		}
	}
}

// The profile is the one that today's policy resolves for the bundle; whether it is the one
// whose denials were counted is told by its digest.
func TestUnder(t *testing.T) {
	bundle := t.TempDir()
	config := `{"ociVersion":"1.0.2","process":{"capabilities":{"bounding":["CAP_SYS_NICE"]}},"root":{"path":"rootfs"}}`
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p, findings := policy.Parse("policy.yaml", []byte(policy.Builtin), nil)
	if findings.Err() != nil {
		t.Fatal(findings.Err())
	}
	node := overview.Node{
		Policy:  func(string) (*policy.Policy, error) { return p, nil },
		Machine: func(string) policy.Machine { return policy.Machine{} },
	}
	want := profile.RuntimeDefault([]string{"CAP_SYS_NICE"})
	rec := &record.Record{
		ContainerdNamespace: "test", ID: "c", Bundle: bundle, Policy: policy.BuiltinPath, Asked: record.None,
		Denials: &record.Denials{Answer: record.Denied, Profile: "sha256:0"},
	}
	u, err := node.Under(rec)
	if err != nil {
		t.Fatal(err)
	}
	if !u.Changed || u.Name != policy.RuntimeDefault || u.Filtered || strings.Join(u.Bounding, " ") != "CAP_SYS_NICE" {
		t.Errorf("got %+v", u)
	}
	rec.Denials.Profile = enforce.Digest(profile.Encode(u.Seccomp))
	if again, err := node.Under(rec); err != nil || again.Changed {
		t.Errorf("changed %v, %v", again, err)
	}
	if len(u.Seccomp.Syscalls) != len(want.Syscalls) {
		t.Errorf("%d rules, want %d", len(u.Seccomp.Syscalls), len(want.Syscalls))
	}
	rec.Asked = "sha256:1" // it brought a filter, which is gone
	if _, err := node.Under(rec); err == nil || err.Error() != "the filter that the container brought is not at hand any more" {
		t.Errorf("got %v", err)
	}
}
