package floor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// invented returns a profile of rules with the same conditions on calls that
// nobody knows.
func invented(rules, names, conditions int) specs.LinuxSeccomp {
	s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86}}
	for r := range rules {
		rule := specs.LinuxSyscall{Action: specs.ActErrno}
		for n := range names {
			rule.Names = append(rule.Names, fmt.Sprintf("invented%d", n))
		}
		for c := range conditions {
			rule.Args = append(rule.Args, specs.LinuxSeccompArg{Index: uint(c), Op: specs.OpNotEqual, Value: uint64(r*7 + c)})
		}
		s.Syscalls = append(s.Syscalls, rule)
	}
	return s
}

// named is p with its names in place of the invented ones.
func named(s specs.LinuxSeccomp, names ...string) specs.LinuxSeccomp {
	for i := range s.Syscalls {
		s.Syscalls[i].Names = names
	}
	return s
}

// Each limit of Floor refuses with the limit in its error, and what is just
// below it is not refused.
func TestWorkLimits(t *testing.T) {
	for _, tt := range []struct {
		name          string
		refused, fine specs.LinuxSeccomp
		want          string
	}{
		{
			name:    "names",
			refused: invented(82, 100, 0),
			fine:    invented(81, 100, 0),
			want:    "the profile: its rules have 8200 names together, more than 8192; list fewer names, or join rules",
		},
		{
			name:    "conditions",
			refused: invented(14, 100, 6),
			fine:    invented(13, 100, 6),
			want:    "the profile: its rules have 8400 conditions together, counted for each name, more than 8192; give rules fewer conditions or fewer names",
		},
		{
			name:    "conditions of a rule without names",
			refused: named(invented(1366, 1, 6)),
			fine:    named(invented(1365, 1, 6)),
			want:    "the profile: its rules have 8196 conditions together, counted for each name, more than 8192; give rules fewer conditions or fewer names",
		},
		{
			name:    "work",
			refused: named(invented(500, 1, 6), "mount", "umount2"),
			fine:    named(invented(2, 1, 6), "mount", "umount2"),
			want:    "the two profiles take more than the 250000 steps that Batten spends on one container; give rules fewer conditions, or list fewer names",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			under := profile.RuntimeDefault(nil)
			if _, _, err := floor.Floor(under, tt.refused, floor.Limits{}); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			out, _, err := floor.Floor(under, tt.fine, floor.Limits{})
			if err != nil || out.Steps > semantics.MaxWork {
				t.Errorf("below the limit: %d steps, %v", out.Steps, err)
			}
			floorWant := strings.Replace(tt.want, "the profile:", "the floor:", 1)
			if _, _, err := floor.Floor(tt.refused, under, floor.Limits{}); err == nil || err.Error() != floorWant {
				t.Errorf("as floor:\ngot  %v\nwant %s", err, floorWant)
			}
		})
	}
}

// What made a shim work for minutes takes no step at all.
func TestFloorRefusesBeforeItWorks(t *testing.T) {
	for _, rules := range []int{400, 6000} {
		out, _, err := floor.Floor(profile.RuntimeDefault(nil), invented(rules, 100, 6), floor.Limits{})
		if err == nil || out.Steps != 0 {
			t.Errorf("%d rules: %d steps, %v", rules, out.Steps, err)
		}
	}
	data := profile.Encode(invented(700, 100, 6))
	if _, err := profile.Decode(data); err == nil || len(data) <= semantics.MaxSize {
		t.Errorf("%d bytes were decoded", len(data))
	}
	if _, err := profile.Decode(profile.Encode(invented(400, 100, 6))); err != nil {
		t.Errorf("less than the limit: %v", err)
	}
}

// The profiles that people use stay far below the limit on work.
func TestFloorWork(t *testing.T) {
	profiles := filtertest.Corpus(t)
	most, which := 0, ""
	for a, under := range profiles {
		for b, own := range profiles {
			out, _, err := floor.Floor(under, own, floor.Limits{})
			if err != nil {
				t.Errorf("floor %s, profile %s: %v", a, b, err)
			}
			if out.Steps > most {
				most, which = out.Steps, fmt.Sprintf("floor %s, profile %s", a, b)
			}
		}
	}
	t.Logf("%d ordered pairs take up to %d of %d steps: %s", len(profiles)*len(profiles), most, semantics.MaxWork, which)
	if most > semantics.MaxWork/20 {
		t.Errorf("%s: %d steps are more than a twentieth of %d", which, most, semantics.MaxWork)
	}
}

// An invented call keeps its denial whatever newer runtime knows it; its
// conditions are not cut into boxes.
func TestFloorOfUnknownCalls(t *testing.T) {
	own := invented(2, 3, 6)
	out, notes, err := floor.Floor(profile.RuntimeDefault(nil), own, floor.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "calls that Batten does not know, judged by their strictest rule whatever the arguments: invented0, invented1, invented2"
	if !slices.Contains(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	for _, rule := range out.Seccomp.Syscalls {
		if slices.Contains(rule.Names, "invented0") && (len(rule.Args) > 0 || rule.Action == specs.ActAllow) {
			t.Errorf("rule %+v", rule)
		}
	}
}

// What lint and check look for in a profile is bounded, too.
func TestValidateLimits(t *testing.T) {
	text := func(s specs.LinuxSeccomp) []byte { return profile.Encode(s) }
	overlapping := specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	for i := range 3000 {
		overlapping.Syscalls = append(overlapping.Syscalls, specs.LinuxSyscall{
			Names: []string{"mount"}, Action: []specs.LinuxSeccompAction{specs.ActErrno, specs.ActTrap}[i%2],
			Args: []specs.LinuxSeccompArg{{Index: 3, Op: specs.OpEqualTo, Value: uint64(i)}},
		})
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{
			name: "names", data: text(invented(82, 100, 0)),
			want: `profile "p":1:1: its rules have 8200 names together, more than 8192; list fewer names, or join rules`,
		},
		{
			name: "pairs of rules", data: text(overlapping),
			want: `profile "p":1:68870: warning: syscalls[707]: has more rules on mount before it than are compared; whether later rules overlap is not known`,
		},
	} {
		_, findings := profile.Parse("p", tt.data)
		var got []string
		for _, f := range findings {
			if f.ID == "too-large" || f.ID == "overlap" {
				got = append(got, f.String())
			}
		}
		if !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s: got %q\nwant %q", tt.name, got, tt.want)
		}
	}
	// Likely names are sought for the first unknown ones, whatever their number.
	typos := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Action: specs.ActErrno}}}
	for i := range 5000 {
		typos.Syscalls[0].Names = append(typos.Syscalls[0].Names, fmt.Sprintf("keyctl%d", i))
	}
	_, findings := profile.Parse("p", text(typos))
	if n := strings.Count(findings.Error(), "did you mean"); n == 0 || n > 32 || len(findings) < 5000 {
		t.Errorf("%d suggestions in %d findings", n, len(findings))
	}
}
