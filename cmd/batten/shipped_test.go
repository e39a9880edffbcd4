package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestShippedProfiles: the profiles that are RuntimeDefault and some calls are that, for a
// container with all capabilities that matter, and for one with none.
func TestShippedProfiles(t *testing.T) {
	caps := strings.Fields("SYS_ADMIN SYS_PTRACE BPF PERFMON SYSLOG SYS_BOOT SYS_TIME SYS_NICE SYS_CHROOT SYS_MODULE SYS_PACCT SYS_RAWIO SYS_TTY_CONFIG DAC_READ_SEARCH")
	var all []string
	for _, c := range caps {
		all = append(all, "--capability", "CAP_"+c)
	}
	for _, tt := range []struct {
		name, file string
		caps       []string
		want       string
	}{
		{name: "nested, privileged", file: "nested", caps: all, want: "newly allowed: keyctl pivot_root"},
		{name: "nested", file: "nested", want: "newly allowed: keyctl pivot_root"},
		{name: "ebpf-agent, privileged", file: "ebpf-agent", caps: all, want: "equal"},
		{name: "ebpf-agent", file: "ebpf-agent", want: "newly allowed: bpf perf_event_open"},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"diff"}, tt.caps...)
		run(append(args, "RuntimeDefault", "../../deploy/policies/"+tt.file+".json"), nil, &stdout, &stderr)
		lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
		got, calls := lines[0], map[string]bool{}
		for _, line := range lines[1:] {
			call, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			calls[call] = true
		}
		want := strings.Fields(tt.want)
		got, _, _ = strings.Cut(got, ":")
		if wantHead, names, _ := strings.Cut(tt.want, ": "); got != wantHead || len(calls) != len(strings.Fields(names)) {
			t.Errorf("%s: %s%s", tt.name, stdout.String(), stderr.String())
		}
		for _, call := range want[min(2, len(want)):] {
			if !calls[call] {
				t.Errorf("%s: %s is not among %v", tt.name, call, calls)
			}
		}
	}
}

// TestShippedPolicies: no policy that Batten ships has an error or a warning, on a machine
// without a runtime of its own.
func TestShippedPolicies(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	checked := 0
	for _, pattern := range []string{"policies/*.yaml", "kubernetes/base/policy.yaml"} {
		files, err := filepath.Glob(filepath.Join("../../deploy", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			checked++
			var stdout, stderr bytes.Buffer
			if status := run([]string{"check", "--draft", "--strict", file}, nil, &stdout, &stderr); status != exitFine {
				t.Errorf("%s: exit status %d\n%s%s", file, status, &stdout, &stderr)
			}
		}
	}
	if checked < 7 {
		t.Errorf("%d policies were checked", checked)
	}
}
