package suggest

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/denials/overview"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"golang.org/x/sys/unix"
)

// parsed returns a policy.
func parsed(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, findings := policy.Parse("policy.yaml", []byte(text), nil)
	if findings.Err() != nil {
		t.Fatal(findings.Err())
	}
	return p
}

// The rule gives the workload its profile, and changes nothing else that the policy says of it.
func TestAnswers(t *testing.T) {
	const top = "version: 1\n"
	floor := profile.RuntimeDefault(nil)
	admin := profile.RuntimeDefault([]string{"CAP_SYS_NICE"})
	for _, tt := range []struct {
		name   string
		policy string
		under  overview.Under
		want   string
	}{
		{name: "plain", policy: top, want: "absent: x"},
		{name: "it brings a filter", policy: top, under: overview.Under{Filtered: true}, want: "present: x"},
		{
			name: "the rule's mode and hooks", policy: top + "denials: Count\n",
			under: overview.Under{Decision: policy.Decision{Mode: policy.Audit, Hooks: policy.Deny, Denials: policy.Count}},
			want:  "absent: x; hooks: Deny; mode: Audit",
		},
		{
			name: "a floor that denies the call", policy: top + "floor: RuntimeDefault\n",
			under: overview.Under{Floor: policy.RuntimeDefault, FloorProfile: &floor},
			want:  "absent: x; floor: None # the profile is as strict as the floor, but for what it opens",
		},
		{
			name: "a floor that allows it", policy: top + "floor: RuntimeDefault\n",
			under: overview.Under{Floor: policy.RuntimeDefault, FloorProfile: &admin}, want: "absent: x",
		},
		{
			name: "a floor that is the profile", policy: top + "floor: RuntimeDefault\n",
			under: overview.Under{Floor: policy.RuntimeDefault},
			want:  "absent: x; floor: None # the profile is as strict as the floor, but for what it opens",
		},
		{name: "a rule without the floor", policy: top + "floor: RuntimeDefault\n", want: "absent: x; floor: None"},
	} {
		tt.under.Policy = parsed(t, tt.policy)
		if tt.under.Decision.Mode == "" {
			tt.under.Decision.Mode, tt.under.Decision.Hooks = policy.Enforce, policy.Keep
		}
		w := &Workload{Name: "x", under: &tt.under, Answer: &Answer{Open: []Call{{Name: "mbind", Arch: allABI[0]}}}}
		if got := strings.Join(w.answers(), "; "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Replicas get one rule; a name that the policy has already is not taken again.
func TestWorkloads(t *testing.T) {
	p := parsed(t, "version: 1\nprofiles: {shop-main: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO}]}}}\nabsent: shop-main\n")
	container := func(id, pod string) overview.Container {
		r := &record.Record{ContainerdNamespace: "k8s.io", ID: id, Asked: record.None, Denials: &record.Denials{Answer: record.Denied}}
		r.Kind, r.PodNamespace, r.PodName, r.Container = policy.Container, "web", pod, "main"
		return overview.Container{Record: r, Counts: &denials.Counts{Denials: []denials.Denial{denial("mbind")}}}
	}
	under := func(*record.Record) (*overview.Under, error) {
		return &overview.Under{Seccomp: small, Name: "small", Policy: p}, nil
	}
	all, err := Workloads(Asked{Under: under, Since: time.Time{}, Containers: []overview.Container{
		container("c1", "shop-7d4b9c6f5d-x2x7p"), container("c2", "shop-7d4b9c6f5d-zzzzz"), container("c3", "other-0"),
	}})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d workloads, %v", len(all), err)
	}
	if got, want := all[0].Name+" "+all[1].Name, "shop-main-2 other-main"; got != want {
		t.Errorf("names %s, want %s", got, want)
	}
	if w := all[0]; len(w.Containers) != 2 || w.Open[0].Count != 2 {
		t.Errorf("got %+v", w)
	}
	var out bytes.Buffer
	if err := Write(&out, all); err != nil {
		t.Fatal(err)
	}
	parsed(t, out.String())
}

// Of replicas of which some are audited it is said; a call of which one was let through is told
// as denied, and calls that one line opens are all shown.
func TestWorkloadsMixed(t *testing.T) {
	container := func(id string, answer denials.Answer, args ...uint64) overview.Container {
		r := &record.Record{ContainerdNamespace: "k8s.io", ID: id, Asked: record.None, Denials: &record.Denials{Answer: answer}}
		r.Kind, r.PodNamespace, r.PodName, r.Container = policy.Container, "web", "shop-7d4b9c6f5d-x2x7p", "main"
		return overview.Container{Record: r, Counts: &denials.Counts{Answer: answer, Denials: []denials.Denial{denial("keyctl", args...)}}}
	}
	under := func(*record.Record) (*overview.Under, error) { return &overview.Under{Seccomp: small}, nil }
	for _, tt := range []struct {
		name    string
		second  denials.Answer
		remarks int
		want    string
	}{
		{name: "alike", second: denials.LetThrough, want: "keyctl(KEYCTL_READ, …), keyctl(KEYCTL_CHOWN, …): would be EPERM 2 times"},
		{name: "mixed", second: denials.Denied, remarks: 1, want: "keyctl(KEYCTL_READ, …), keyctl(KEYCTL_CHOWN, …): EPERM 2 times"},
	} {
		all, err := Workloads(Asked{Under: under, Containers: []overview.Container{
			container("c1", denials.LetThrough, unix.KEYCTL_READ), container("c2", tt.second, unix.KEYCTL_CHOWN),
		}})
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %d workloads, %v", tt.name, len(all), err)
		}
		if got := len(all[0].Remarks); got != tt.remarks || got == 1 && all[0].Remarks[0] != mixed {
			t.Errorf("%s: remarks %q", tt.name, all[0].Remarks)
		}
		calls := slices.Concat(all[0].Open, all[0].Dangerous)
		if len(calls) != 1 || !strings.HasPrefix(about(calls[0], all[0].audited), tt.want) {
			t.Errorf("%s: got %+v, want %s", tt.name, calls, tt.want)
		}
	}
}

// What a process calls itself cannot add a line to the policy.
func TestForgedLines(t *testing.T) {
	d := denial("mbind")
	d.Sample.Comm = "x\nrules: []\r\u2028"
	c := overview.Container{Counts: &denials.Counts{Denials: []denials.Denial{d}}, Record: &record.Record{ID: "c", Asked: record.None}}
	all, err := Workloads(Asked{Containers: []overview.Container{c}, Under: func(*record.Record) (*overview.Under, error) {
		return &overview.Under{Seccomp: small}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(&out, all); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "\nrules: []") || !strings.Contains(out.String(), "by x?rules: []??;") {
		t.Errorf("got %s", out.String())
	}
}

// What a mandatory floor denies is not suggested: no rule lifts it.
func TestMandatory(t *testing.T) {
	mandatory := lists
	q := Question{Base: small, Denials: []denials.Denial{denial("swapon"), denial("mincore")}}
	without, err := For(q)
	if err != nil {
		t.Fatal(err)
	}
	q.Mandatory, q.MandatoryName = &mandatory, "no-swap"
	with, err := For(q)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(without.Closed); n != 0 || len(without.Open)+len(without.Dangerous) != 2 {
		t.Errorf("without: %+v", without)
	}
	want := "the node demands no-swap of every container, and no rule lifts that"
	if len(with.Closed) != 1 || with.Closed[0].Why != want || len(with.Open)+len(with.Dangerous) != 1 {
		t.Errorf("with: %+v", with)
	}
}
