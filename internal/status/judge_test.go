package status_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// judged is one container judged.
type judged struct {
	name             string
	policy           string
	spec             *specs.LinuxSeccomp // in its bundle
	result, asked    string              // of its record: "" if it has none, "spec" for that in the bundle
	seccomp, filters int
	threads          []int
	abis             profile.ABIs
	live             []*specs.LinuxSeccomp       // what the kernel holds
	liveOf           map[int]*specs.LinuxSeccomp // of a thread, if it is another one
	liveErr          error
	added            bool // whether batten block has added filters
	want             status.Verdict
}

func denies(names ...string) *specs.LinuxSeccomp {
	eperm := uint(1)
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64},
		Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActErrno, ErrnoRet: &eperm}},
	}
}

// standard is containerd's default profile without capabilities.
func standard() *specs.LinuxSeccomp {
	s := profile.RuntimeDefault(nil)
	return &s
}

const asksNothing = "it asks for no seccomp filter, and the policy's top level says absent: "

// judgeCases are containers and what is said of them.
var judgeCases = []judged{
	{
		name: "proved", policy: forced, spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("keyctl")},
		want: status.Verdict{Kind: status.Proved, Safe: true, Text: "proved, 1 filter as strict as its record and today's policy"},
	},
	{
		name: "looser than its record", policy: open, spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("bpf")},
		want: status.Verdict{Kind: status.Looser, Text: "looser than its record: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
	},
	{
		name: "looser than today's policy", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("bpf")},
		want: status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
	},
	{
		name: "strict by a filter of its own program only", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 2, live: []*specs.LinuxSeccomp{denies("bpf"), denies("keyctl")},
		want: status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
	},
	{
		name: "strict by a filter that batten block has added", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 2, live: []*specs.LinuxSeccomp{denies("bpf"), denies("keyctl")},
		want:  status.Verdict{Kind: status.Proved, Safe: true, Text: "proved, 1 filter and what batten block has added to each thread as strict as its record and today's policy"},
		added: true,
	},
	{
		name: "and batten block has added none", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("bpf")},
		want:  status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
		added: true,
	},
	{
		name: "and not each thread has it", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 2, live: []*specs.LinuxSeccomp{denies("bpf"), denies("keyctl")},
		want:  status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
		added: true, threads: []int{2}, liveOf: map[int]*specs.LinuxSeccomp{1100: denies("bpf")},
	},
	{
		name: "its record demands a filter", policy: forced, spec: denies("keyctl"), result: "spec", asked: record.None,
		want: status.Verdict{Kind: status.Unfiltered, Text: "runs with no filter, and its record says otherwise: why."},
	},
	{
		name: "a thread without", policy: forced, spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1, threads: []int{0}, live: []*specs.LinuxSeccomp{denies("keyctl")},
		want: status.Verdict{Kind: status.Unfiltered, Text: "process 11 of it runs with no filter, and its record says otherwise: why."},
	},
	{
		name: "the policy allows it", policy: open, result: record.None, asked: record.None,
		want: status.Verdict{Kind: status.Allowed, Safe: true, Text: "runs with no filter, as today's policy has it: " + asksNothing + "Unconfined"},
	},
	{
		name: "the policy allowed it once", policy: forced, result: record.None, asked: record.None,
		want: status.Verdict{Kind: status.Unfiltered, Text: "runs with no filter, and today's policy would not have it: " + asksNothing + "p"},
	},
	{
		name: "the policy only audits", policy: forced + "mode: Audit\n", result: record.None, asked: record.None,
		want: status.Verdict{Kind: status.Unfiltered, Text: "runs with no filter, and today's policy would not have it: " + asksNothing + "p; the policy only audits; enforced, it would deny 1 call: keyctl; kill programs of SCMP_ARCH_X86; kill programs of SCMP_ARCH_X32"},
	},
	{
		name: "the policy refuses it now", policy: "version: 1\nabsent: Deny\n", result: record.None, asked: record.None, seccomp: 2, filters: 1,
		want: status.Verdict{Kind: status.Refused, Text: "today's policy would refuse it: " + asksNothing + "Deny"},
	},
	{
		name: "does not stop", policy: forced, spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1, liveErr: &filter.NotStopping{Pid: 11, State: "D (disk sleep)"},
		want: status.Verdict{Kind: status.Unproved, Text: "cannot be proved: process 11 does not stop (state D (disk sleep))"},
	},
	{
		name: "another profile than recorded", policy: forced, spec: denies("keyctl"), result: "sha256:other", asked: record.None, seccomp: 2, filters: 1,
		want: status.Verdict{Kind: status.Unproved, Text: "cannot be proved: BUNDLE/config.json no longer holds the profile that the record tells of"},
	},
	{
		name: "kept before Batten knew that it asks for RuntimeDefault", policy: "version: 1\n", abis: profile.ABIs{Probed: true}, spec: standard(), result: "spec", asked: "spec", seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{standard()},
		want: status.Verdict{Kind: status.Proved, Safe: true, Text: "proved, 1 filter as strict as its record and today's policy"},
	},
	{
		name: "and the policy has another one now", policy: "version: 1\nruntimeDefault: q\nprofiles: {q: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32], syscalls: [{names: [getpid], action: SCMP_ACT_ERRNO}]}}}\n",
		spec: standard(), result: "spec", asked: "spec", seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{standard()},
		want: status.Verdict{Kind: status.Looser, Text: "looser than today's policy: getpid() on x86: ERRNO(EPERM) against ALLOW"},
	},
	{
		name: "a broken policy", policy: "version: 7\n", spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1,
		want: status.Verdict{Kind: status.Unproved, Text: `cannot be proved: today's policy cannot be read: policy "p":1:10: version: version 7 is unknown; this Batten reads version 1`},
	},
	{
		name: "bypasses Batten without a filter", policy: forced,
		want: status.Verdict{Kind: status.Unfiltered, Text: "bypasses Batten; runs with no filter, and today's policy would not have it: " + asksNothing + "p"},
	},
	{
		name: "bypasses Batten while the policy only audits", policy: forced + "mode: Audit\n",
		want: status.Verdict{Kind: status.Unfiltered, Text: "bypasses Batten; runs with no filter, and today's policy would not have it: " + asksNothing + "p; the policy only audits; enforced, it would deny 1 call: keyctl; kill programs of SCMP_ARCH_X86; kill programs of SCMP_ARCH_X32"},
	},
	{
		name: "bypasses Batten with a filter of its program", policy: forced, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("bpf")},
		want: status.Verdict{Kind: status.Looser, Text: "bypasses Batten; looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
	},
	{
		name: "bypasses Batten with a strict filter of its program", policy: forced, seccomp: 2, filters: 1, threads: []int{2},
		live: []*specs.LinuxSeccomp{denies("keyctl")},
		want: status.Verdict{Kind: status.Proved, Safe: true, Text: "bypasses Batten; proved, 1 filter as strict as today's policy"},
	},
	{
		name: "and with a loose one in another thread", policy: forced, seccomp: 2, filters: 1, threads: []int{2},
		live: []*specs.LinuxSeccomp{denies("keyctl")}, liveOf: map[int]*specs.LinuxSeccomp{1100: denies("bpf")},
		want: status.Verdict{Kind: status.Looser, Text: "bypasses Batten; looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
	},
	{
		name: "as it asked to, with such filters", policy: forced, result: record.None, asked: record.None, seccomp: 2, filters: 1, threads: []int{2},
		live: []*specs.LinuxSeccomp{denies("keyctl")}, liveOf: map[int]*specs.LinuxSeccomp{1100: denies("bpf")},
		want: status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
	},
	{
		name: "bypasses Batten, and the policy allows all", policy: open,
		want: status.Verdict{Kind: status.Allowed, Safe: true, Text: "bypasses Batten; runs with no filter, as today's policy has it: " + asksNothing + "Unconfined"},
	},
}

func TestJudge(t *testing.T) {
	for _, tt := range judgeCases {
		t.Run(tt.name, func(t *testing.T) {
			got, bundle := judge(t, tt)
			got.Text = strings.ReplaceAll(got.Text, bundle, "BUNDLE")
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// judge surveys a /proc with one container, and returns its verdict and its bundle.
func judge(t *testing.T, tt judged) (status.Verdict, string) {
	t.Helper()
	bundle := t.TempDir()
	seccomp := []byte("null")
	if tt.spec != nil {
		seccomp = profile.Encode(*tt.spec)
	}
	write(t, filepath.Join(bundle, "config.json"), `{"linux":{"seccomp":`+string(seccomp)+`}}`)
	var records []*record.Record
	if tt.result != "" {
		rec := &record.Record{ID: "c", ContainerdNamespace: "n", Bundle: bundle, Pid: 11, StartTime: 7, Result: tt.result, Asked: tt.asked, Reason: "why."}
		if rec.Result == "spec" {
			rec.Result = enforce.Digest(seccomp)
		}
		if rec.Asked == "spec" {
			rec.Asked = enforce.Digest(seccomp)
		}
		records = append(records, rec)
	}
	host := procfs.HostPidNamespace
	all, err := procfs.All(proc(t, process{pid: 10, parent: 1, exe: "/runc", mounts: hostMounts, pids: host},
		process{pid: 11, parent: 10, exe: "/a", cgroup: "/c", root: "0:50 /", seccomp: tt.seccomp, filters: tt.filters, threads: tt.threads, start: 7}))
	if err != nil {
		t.Fatal(err)
	}
	found := status.Find(all, records)
	if len(found.Containers) != 1 {
		t.Fatalf("found %+v", found)
	}
	j := &status.Judge{
		Added: func(*filter.Program) bool { return tt.added },
		Policy: func(string) (*policy.Policy, error) {
			p, findings := policy.Parse("p", []byte(tt.policy), nil)
			return p, findings.Err()
		},
		Machine: func(string) policy.Machine { return policy.Machine{ABIs: tt.abis} },
		Live: func(tid int) (stack filter.Stack, err error) {
			held := tt.live
			if other := tt.liveOf[tid]; other != nil {
				held = []*specs.LinuxSeccomp{other}
			}
			for _, s := range held {
				p, err := filter.Compile(s)
				if err != nil {
					t.Fatal(err)
				}
				stack = append(stack, p)
			}
			return stack, tt.liveErr
		},
	}
	return j.Judge(&found.Containers[0]), bundle
}

var id = strings.Repeat("0123456789abcdef", 4)

const (
	keyctl = "profiles: {p: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64], syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}}\n"
	forced = "version: 1\narchitectures: as-written\nabsent: p\n" + keyctl
	open   = "version: 1\nabsent: Unconfined\n"
)
