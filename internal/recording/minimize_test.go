package recording_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestMinimize(t *testing.T) {
	const (
		errno  = `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[`
		kill   = `{"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[`
		allow  = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[`
		starts = `"close","execve","fstat","fstatfs","getdents64","openat"`
		others = `,"capget","capset","chdir","futex","getcwd","getppid","newfstatat","prctl","read","setgid","setgroups","setuid"`
		ends   = `"],"action":"SCMP_ACT_ALLOW"}`
	)
	allows := func(names string) string { return `{"names":[` + starts + others + `,"` + names + ends }
	for _, tt := range []struct {
		name, profile string
		calls         []string
		rules, gone   string
		notes         string
		denies        string // that the profile denies
	}{
		{name: "a name goes", profile: errno + allows(`lseek","bpf`) + `]}`, calls: []string{"x86_64 lseek"}, rules: "lseek", gone: "deny 1 call: bpf"},
		{name: "all is needed", profile: errno + allows(`lseek`) + `]}`, calls: []string{"x86_64 lseek"}, rules: "lseek", gone: "change nothing"},
		{name: "families go", profile: errno + allows(`socket`) + `]}`, calls: []string{"x86_64 socket 0=2"}, rules: "socket 0=0x2", gone: "deny 1 call: socket (some)"},
		{name: "what goes is killed as the rest", profile: kill + allows(`lseek","bpf`) + `]}`, calls: []string{"x86_64 lseek"}, rules: "lseek", gone: "deny 1 call: bpf"},
		{name: "all that is allowed by default", profile: allow + `{"names":["bpf"],"action":"SCMP_ACT_KILL"}]}`, calls: []string{"x86_64 lseek"}, rules: "lseek", gone: "deny 3"},
		{name: "clone3 stays", profile: errno + allows(`clone","clone3`) + `]}`, calls: []string{"x86_64 clone3 0=17"}, rules: "clone3\nclone 0&0x7e020000=0x0", gone: "deny 1 call: clone (some)"},
		{name: "an architecture goes", profile: strings.Replace(errno, "{", `{"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],`, 1) + allows(`lseek`) + `]}`, calls: []string{"x86_64 lseek"}, rules: "lseek", gone: "kill programs of SCMP_ARCH_X86"},
		{
			name: "an argument that was not recorded", profile: errno + allows(`lseek`) + `,{"names":["ioctl"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
			calls: []string{"x86_64 ioctl", "x86_64 lseek"}, rules: "lseek\nioctl 1=0x1", gone: "change nothing",
			notes: "ioctl by a: it is not known, since the profile looks at argument 1, which was not recorded",
		},
		{name: "a denied call", profile: errno + allows(`lseek`) + `]}`, calls: []string{"x86_64 lseek", "x86_64 bpf"}, denies: "bpf by a: SCMP_ACT_ERRNO(ENOSYS)"},
		{name: "a denied family", profile: errno + allows(`lseek`) + `,{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}`, calls: []string{"x86_64 socket 0=2 0=1"}, denies: "socket(AF_INET) by a: SCMP_ACT_ERRNO(EPERM)"},
		{name: "a denied architecture", profile: errno + allows(`lseek`) + `]}`, calls: []string{"x86 lseek"}, denies: "lseek by a: the process is killed: the profile does not list SCMP_ARCH_X86"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := profile.Decode([]byte(tt.profile))
			if err != nil {
				t.Fatal(err)
			}
			made, err := recording.Profile([]*recording.Recording{container(t, "a", tt.calls...)}, recording.Options{})
			if err != nil {
				t.Fatal(err)
			}
			out, err := made.Minimize(*p)
			var denied *recording.DeniedError
			if tt.denies != "" {
				if !errors.As(err, &denied) || err.Error() != "it denies what was recorded: "+tt.denies {
					t.Errorf("error %v, want %s", err, tt.denies)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			needs := slices.Concat(everywhere, profile.AtStart(false))
			if got := ruled(rules(out.Seccomp, needs...), tt.rules); got != tt.rules {
				t.Errorf("rules\n%s\nwant\n%s", got, tt.rules)
			}
			if got := out.Gone.String(); !strings.HasPrefix(got, tt.gone) || out.Unchanged != (got == "change nothing") {
				t.Errorf("gone is %q, want %q; unchanged is %v", got, tt.gone, out.Unchanged)
			}
			if got := strings.Join(out.Notes, "\n"); got != tt.notes {
				t.Errorf("notes %q, want %q", got, tt.notes)
			}
			if out.Seccomp.DefaultAction != p.DefaultAction && p.DefaultAction != specs.ActAllow {
				t.Errorf("the default action is %s, and was %s", out.Seccomp.DefaultAction, p.DefaultAction)
			}
		})
	}
}

// Profiles that people use, minimized by random recordings that they allow, are nowhere looser by
// their compiled filters.
func TestMinimizeOfCorpus(t *testing.T) {
	profiles := filtertest.Corpus(t)
	minimized, inexpressible := 0, 0
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		p := profiles[name]
		before, err := filter.Compile(&p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 30 {
			r := rand.New(rand.NewPCG(11, uint64(i)))
			made, err := recording.Profile([]*recording.Recording{allowedBy(t, before, randomRecording(r))}, recording.Options{Runtime: filter.Linked()})
			if err != nil {
				t.Fatal(err)
			}
			out, err := made.Minimize(p)
			if denied := (*recording.DeniedError)(nil); errors.As(err, &denied) {
				continue
			}
			if err != nil && strings.HasPrefix(err.Error(), "no rules can leave out the rest") {
				inexpressible++ // a floor would leave an architecture out
				continue
			}
			if err != nil {
				t.Fatalf("%s, recording %d: %v", name, i, err)
			}
			after, err := filter.Compile(&out.Seccomp)
			if err != nil {
				t.Fatal(err)
			}
			minimized++
			pairs, err := filter.Pairs(filter.Stack{before}, filter.Stack{after})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range pairs { // of an architecture that is left out, the thread is killed
				if w.First.Denies() && !w.Second.Denies() {
					t.Errorf("%s, recording %d: looser with %v", name, i, &w)
				}
			}
		}
	}
	if minimized < 100 || inexpressible > 5 {
		t.Errorf("only %d were minimized, and %d cannot be expressed", minimized, inexpressible)
	}
}

// allowedBy returns a recording without the calls that a filter denies.
func allowedBy(t *testing.T, program *filter.Program, r *recording.Recording) *recording.Recording {
	t.Helper()
	j := &judge{program: program}
	for i := range r.Containers {
		c := &r.Containers[i]
		c.Calls = slices.DeleteFunc(c.Calls, func(c recording.Call) bool {
			return len(c.Arguments) == 0 && !j.allows(t, c.Arch, c.Nr, [6]uint64{}) || slices.ContainsFunc(c.Arguments, func(a recording.Argument) bool {
				var args [6]uint64
				args[a.Index] = a.Value
				return !j.allows(t, c.Arch, c.Nr, args)
			})
		})
		c.Calls = append(c.Calls, recording.Call{Arch: specs.ArchX86_64, Nr: 0, Name: "read"})
	}
	return r
}
