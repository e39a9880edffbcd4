package machines

import (
	"maps"
	"testing"
)

// Processors of qemu: one with all that it knows (vectors of 2048 bits, landing pads, 32-bit ARM),
// and one that runs 64-bit programs alone. The emulation of pointer authentication is a fast one.
const (
	everything = "max,pauth-impdef=on"
	only64     = "a64fx"
)

// restart has containerd read its configuration.
const restart = "busybox killall containerd; sleep 2; until ctr version; do sleep 0.2; done >/dev/null 2>&1"

// probes starts two containers that make the same call all the time: one under the shim, and one
// that bypasses Batten.
const probes = `for how in batten.v2 runc.v2; do ` +
	`ctr -n k8s.io run -d --log-uri file:///run/probe.$how --runtime io.containerd.$how example.org/busybox:1 probe.$how /bin/probe || exit 1; done; sleep 2; tail -qn 1 /run/probe.*`

// TestArm64 runs Batten on a Debian 12 of arm64.
func TestArm64(t *testing.T) {
	files := arm64Files(t)
	for _, tt := range []struct {
		name, processor string
		steps           []step
	}{
		{name: "node", processor: everything, steps: onNode},
		{name: "programs", processor: everything, steps: ofPrograms},
		{name: "64 bits alone", processor: only64, steps: of64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, debian12arm64(t, tt.processor), tt.steps, files)
		})
	}
}

// onNode are both ways into the node, all that looks at it, and a block on what runs.
var onNode = []step{
	{command: "pod grep Seccomp: /proc/self/status", says: []string{"0"}},
	{command: "pod --privileged grep Seccomp: /proc/self/status", says: []string{"0"}},
	{command: "batten check", says: []string{"built-in: fine"}},
	{command: "batten install --containerd --default", says: []string{"installed"}},
	{command: restart},
	{command: "batten status", says: []string{"containerd  batten   yes      yes"}, never: "NOT SAFE"},
	{command: "pod grep Seccomp: /proc/self/status", says: []string{"2"}},
	{command: "pod --privileged grep Seccomp: /proc/self/status", says: []string{"2"}},
	{command: "pod --privileged --keep sleep 100000"},
	{command: "batten records", says: []string{"default/privileged", "RuntimeDefault", "Filtered (1)"}},
	{command: "cat /run/batten/abis.json", says: []string{`"arm":true`}},
	{command: probes, says: []string{"open", "open"}},
	{command: "batten verify", status: 1, says: []string{"proved, 1 filter as strict as its record and today's policy"}},
	{command: "batten block --running --json --name no-sysinfo sysinfo", says: []string{`"tightened"`}, never: `"unreached"`},
	{command: "sleep 1; tail -qn 1 /run/probe.*", says: []string{"closed", "closed"}},
	{command: "batten block --list", says: []string{"no-sysinfo"}},
	{command: "batten unblock no-sysinfo"},
	{command: "ctr -n k8s.io task ls", says: []string{"RUNNING", "RUNNING"}, never: "STOPPED"},
}

const start = "ctr -n k8s.io run -d --runtime io.containerd.batten.v2 example.org/busybox:1 "

// ofPrograms are 32-bit ARM programs, and the commands that look at profiles.
var ofPrograms = []step{
	{command: start + "narrow /bin/waits32; sleep 2; ctr -n k8s.io task ls", says: []string{"narrow", "RUNNING"}},
	{command: "batten explain", says: []string{"RuntimeDefault"}, never: "SCMP_ARCH_ARM left out"},
	{command: "batten block --running --name no-sysinfo sysinfo", status: 1, says: []string{"it is a 32-bit program"}},
	{command: "batten unblock no-sysinfo"},
	{command: `mkdir -p /etc/batten; printf 'version: 1\narchitectures: native\n' >/etc/batten/policy.yaml; batten check`, says: []string{"fine"}},
	{command: start + "killed /bin/waits32; sleep 2; ctr -n k8s.io task ls", says: []string{"killed", "STOPPED"}},
	{command: "batten compile RuntimeDefault", says: []string{"instructions"}},
	{command: "batten floor RuntimeDefault /run/in/loose.json >/root/floor.json && batten prove --floor RuntimeDefault /root/floor.json", says: []string{"proved"}},
	{command: "batten prove --floor RuntimeDefault /run/in/loose.json", status: 1, says: []string{"refuted"}},
}

// of64 is a processor that runs no 32-bit ARM programs.
var of64 = []step{
	{command: "batten explain", says: []string{"SCMP_ARCH_ARM left out: this kernel cannot run it"}},
	{command: start + "wide /bin/busybox sleep 1000"},
	{command: "batten verify", says: []string{"proved"}},
}

// arm64Files are what the machine is brought.
func arm64Files(t *testing.T) map[string][]byte {
	t.Helper()
	const goarch = "arm64"
	files := map[string][]byte{
		"pod": program(t, goarch, "./pod"), "loose.json": []byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`),
		"busybox.image": busybox(t, goarch, "example.org/busybox:1", map[string][]byte{
			"probe":   program(t, goarch, "./probe"),
			"waits32": read(t, "../../internal/tighten/testdata/waits32.arm"),
		}),
		"pause.image": busybox(t, goarch, "registry.k8s.io/pause:3.6", nil, "sleep", "1000000"),
	}
	maps.Copy(files, unpackaged(t, goarch))
	return files
}
