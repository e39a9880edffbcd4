package profile_test

import (
	"sync"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
)

// Parse is used from several goroutines, and says the same each time: a list of words
// that it sorted in place was a race, and gave two orders of one error.
func TestParseFromSeveralGoroutines(t *testing.T) {
	const text = `{"defaultAction": "SCMP_ACT_ALOW", "architectures": ["SCMP_ARCH_X68"], "flags": ["SECCOMP_FILTER_FLAG_LGO"],
		"syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERNO", "args": [{"index": 0, "op": "SCMP_CMP_QE"}]}]}`
	_, first := profile.Parse("p.json", []byte(text))
	if first.Err() == nil {
		t.Fatal("accepted")
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if _, findings := profile.Parse("p.json", []byte(text)); findings.Err().Error() != first.Err().Error() {
					t.Errorf("got %v\nwant %v", findings.Err(), first.Err())
				}
			}
		})
	}
	all.Wait()
}

// Two unknown actions are no rule that repeats the default.
func TestUnknownActionsRepeatNothing(t *testing.T) {
	_, findings := profile.Parse("p.json", []byte(`{"defaultAction": "SCMP_ACT_ALOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERNO"}]}`))
	for _, f := range findings {
		if f.ID == "repeats-default" {
			t.Error(f)
		}
	}
	if len(findings) != 2 {
		t.Errorf("%d findings: %v", len(findings), findings)
	}
}
