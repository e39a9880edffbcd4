package enforce

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func denying(names ...string) specs.LinuxSeccomp {
	return profile.Seal(specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
		{Names: names, Action: specs.ActErrno},
	}})
}

func loaded(t *testing.T, s specs.LinuxSeccomp) []bpf.Instruction {
	t.Helper()
	p, err := filter.Compile(&s)
	if err != nil {
		t.Fatal(err)
	}
	return p.Instructions
}

// recordOf makes a bundle with a profile, and its record.
func recordOf(t *testing.T, s specs.LinuxSeccomp, verdict policy.Verdict) *record.Record {
	t.Helper()
	dir, data := t.TempDir(), profile.Encode(s)
	err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"linux":{"seccomp":`+string(data)+`}}`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return &record.Record{ID: "c", Bundle: dir, OCIRuntime: "runc", Result: Digest(data), Verdict: verdict}
}

func TestCompareFilter(t *testing.T) {
	for _, tt := range []struct {
		name            string
		profile, loaded specs.LinuxSeccomp
		verdict         policy.Verdict
		change          string // what config.json is changed to
		note, differs   string
	}{
		{name: "its own", profile: denying("keyctl"), loaded: denying("keyctl")},
		{name: "a stricter one", profile: denying("keyctl"), loaded: denying("keyctl", "bpf")},
		{
			name: "a looser one", profile: denying("keyctl", "bpf"), loaded: denying("keyctl"),
			differs: "its filter is looser than its profile: bpf(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) on SCMP_ARCH_X86_64: SCMP_ACT_ALLOW, and the profile says SCMP_ACT_ERRNO(EPERM)",
		},
		{
			name: "the policy's rule is skipped", profile: denying("keyctl", "close_range"), loaded: denying("keyctl"), verdict: policy.Replace,
			differs: "runc has skipped what its profile says of close_range, whose names it does not know",
		},
		{
			name: "the container's rule is skipped", profile: denying("keyctl", "close_range"), loaded: denying("keyctl"), verdict: policy.Leave,
			note: "runc does not know close_range, and skips what its profile says of them",
		},
		{
			name: "config.json is another one", profile: denying("keyctl"), loaded: denying("keyctl"), change: `{"linux":{}}`,
			differs: "BUNDLE/config.json no longer holds the profile that Batten put there",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &Enforcer{Records: record.Store{Dir: t.TempDir()}}
			rec := recordOf(t, tt.profile, tt.verdict)
			if tt.change != "" {
				if err := os.WriteFile(filepath.Join(rec.Bundle, "config.json"), []byte(tt.change), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			note, err := e.compareFilter(rec, loaded(t, tt.loaded))
			var d *differs
			got := ""
			if errors.As(err, &d) {
				got = d.reason
			} else if err != nil {
				t.Fatal(err)
			}
			want := tt.differs
			if tt.change != "" {
				want = rec.Bundle + want[len("BUNDLE"):]
			}
			if got != want || note != tt.note {
				t.Errorf("got %q, note %q; want %q, %q", got, note, want, tt.note)
			}
			if _, err := os.Stat(filepath.Join(e.Records.Dir, comparedDir, pairOf(rec.Result, loaded(t, tt.loaded)))); (err == nil) != (want == "") {
				t.Errorf("kept: %v", err)
			}
		})
	}
}

// What was found once needs neither bundle nor work again, but only root's word counts.
func TestCompareFilterIsKept(t *testing.T) {
	e := &Enforcer{Records: record.Store{Dir: t.TempDir()}}
	rec := recordOf(t, denying("keyctl"), policy.Replace)
	code := loaded(t, denying("keyctl"))
	if _, err := e.compareFilter(rec, code); err != nil {
		t.Fatal(err)
	}
	bundle := rec.Bundle
	rec.Bundle = "/nowhere"
	if _, err := e.compareFilter(rec, code); err != nil {
		t.Errorf("the second time: %v", err)
	}
	kept := filepath.Join(e.Records.Dir, comparedDir, pairOf(rec.Result, code))
	if err := os.Chmod(kept, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := e.compareFilter(rec, code); err == nil {
		t.Error("what anybody can write was believed")
	}
	rec.Bundle, rec.Result = bundle, "sha256:another"
	if _, err := e.compareFilter(rec, code); err == nil {
		t.Error("what was found of another profile was believed")
	}
}

func BenchmarkCompareFilterKept(b *testing.B) {
	e := &Enforcer{Records: record.Store{Dir: b.TempDir()}}
	s := profile.Seal(profile.RuntimeDefault(nil))
	p, err := filter.Compile(&s)
	if err != nil {
		b.Fatal(err)
	}
	rec := &record.Record{Result: "sha256:x"}
	if err := atomicfile.Write(filepath.Join(e.Records.Dir, comparedDir, pairOf(rec.Result, p.Instructions)), nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := e.compareFilter(rec, p.Instructions); err != nil {
			b.Fatal(err)
		}
	}
}
