package status

import "testing"

func TestReadSpeculation(t *testing.T) {
	const prctl, both = "Mitigation: Speculative Store Bypass disabled via prctl\n", "Mitigation: Speculative Store Bypass disabled via prctl and seccomp\n"
	for _, tc := range []struct {
		state, mode string
		want        speculation
	}{
		{state: "thread force mitigated", mode: both, want: speculation{acts: true, mitigated: true}},
		{state: "thread mitigated", mode: both, want: speculation{acts: true, mitigated: true}},
		{state: "thread vulnerable", mode: both, want: speculation{acts: true}},
		{state: "thread vulnerable", mode: prctl},
		{state: "vulnerable", mode: "Vulnerable\n"},
		{state: "not vulnerable", mode: "Not affected\n"},
		{state: "globally mitigated", mode: "Mitigation: Speculative Store Bypass disabled\n"},
	} {
		if got := readSpeculation("Name:\tx\nSpeculation_Store_Bypass:\t"+tc.state+"\nThreads:\t1\n", tc.mode); got != tc.want {
			t.Errorf("%s, %s: got %+v, want %+v", tc.state, tc.mode, got, tc.want)
		}
	}
}
