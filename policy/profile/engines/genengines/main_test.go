package main

import (
	"fmt"
	"testing"
)

// Releases that follow each other are a range, and no release between two has another profile.
func TestCalled(t *testing.T) {
	of := func(name string, at ...int) (list []engine) {
		for _, i := range at {
			list = append(list, engine{name: name, version: fmt.Sprint("1.", i), at: i})
		}
		return list
	}
	for want, list := range map[string][]engine{
		"a 1.3":                      of("a", 3),
		"a 1.3 to 1.5":               of("a", 3, 4, 5),
		"a 1.3 to 1.4, a 1.6":        of("a", 3, 4, 6),
		"a 1.3 to 1.4, b 1.5":        append(of("a", 3, 4), of("b", 5)...),
		"a 1.1, b 1.2 to 1.3, a 1.4": append(append(of("a", 1), of("b", 2, 3)...), of("a", 4)...),
	} {
		if got := called(list); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// What a profile in Docker's form has for a container is by its capabilities and machine.
func TestOfJSON(t *testing.T) {
	e, err := ofJSON("a", "1", []byte(`{"defaultAction": "SCMP_ACT_ERRNO",
"archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}, {"architecture": "SCMP_ARCH_AARCH64"}],
"syscalls": [
{"names": ["read"], "action": "SCMP_ACT_ALLOW"},
{"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
{"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF", "CAP_PERFMON"]}},
{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		arch     string
		bounding []string
		want     string
	}{
		{arch: "amd64", want: "[SCMP_ARCH_X86_64 SCMP_ARCH_X86] read arch_prctl clone3"},
		{arch: "arm64", want: "[SCMP_ARCH_AARCH64] read clone3"},
		{arch: "arm64", bounding: []string{"CAP_BPF"}, want: "[SCMP_ARCH_AARCH64] read"},
		{arch: "arm64", bounding: []string{"CAP_BPF", "CAP_PERFMON"}, want: "[SCMP_ARCH_AARCH64] read bpf"},
	} {
		s, err := e.profile(tt.arch, tt.bounding)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(s.Architectures)
		for _, r := range s.Syscalls {
			got += " " + r.Names[0]
		}
		if got != tt.want {
			t.Errorf("%s %q: got %s, want %s", tt.arch, tt.bounding, got, tt.want)
		}
	}
}
