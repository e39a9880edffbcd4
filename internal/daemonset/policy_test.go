package daemonset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy"
)

const noKeys = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}`

const withKeys = "version: 1\nprofiles: {x: {file: x.json}}\nabsent: x\n"

// holds returns the text of the policy that a shim on the host would read, and the
// names of all that is in /etc/batten.
func holds(t *testing.T, a *Agent) (text string, names []string) {
	t.Helper()
	data, err := os.ReadFile(a.host(policyPath))
	if err == nil {
		_, findings := policy.Load(a.host(policyPath))
		if err := findings.Err(); err != nil {
			t.Errorf("the host's policy does not load: %v", err)
		}
	}
	entries, _ := os.ReadDir(a.host(policyDir))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return string(data), names
}

// TestSyncPolicy: what passes the check comes to the host, profiles and all; what
// does not stays away, and the last good policy is as it was.
func TestSyncPolicy(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	a, dir, log := agent(t)
	for i, step := range []struct {
		files   map[string]string
		refused string
		text    string // of policy.yaml on the host
	}{
		{files: map[string]string{"policy.yaml": "version: 1\nabsent: RuntimeDfault\n"}, refused: `/etc/batten/policy.yaml`},
		{files: map[string]string{"policy.yaml": "version: 1\n"}, text: "version: 1\n"},
		{files: map[string]string{"policy.yaml": withKeys}, refused: `profile "x.json" is not a key of the ConfigMap; add it there`, text: "version: 1\n"},
		{files: map[string]string{"policy.yaml": withKeys, "x.json": noKeys}, text: withKeys},
		{files: map[string]string{"policy.yaml": "version: 1\nfloor: f\nprofiles: {f: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [socket], action: SCMP_ACT_ERRNO, args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]}]}}}\n"}, refused: "the kernel reads 32 bits of argument 0 of socket", text: withKeys},
		{files: map[string]string{}, refused: "the ConfigMap has no key policy.yaml", text: withKeys},
		{files: map[string]string{"policy.yaml": "version: 1\n"}, text: "version: 1\n"},
	} {
		mount(t, dir, fmt.Sprint(i), step.files)
		log.Reset()
		err := a.policy(t.Context())
		if step.refused == "" && err != nil || step.refused != "" && (err == nil || !strings.Contains(err.Error(), step.refused)) {
			t.Errorf("step %d: %v, want %q", i, err, step.refused)
		}
		if step.refused != "" && !strings.Contains(log.String(), "the policy is refused, the last good one holds: ") {
			t.Errorf("step %d: the log says %q", i, log)
		}
		if text, _ := holds(t, a); text != step.text {
			t.Errorf("step %d: the host's policy is\n%s", i, text)
		}
		if probe := a.Check(a.root); (probe == nil) != (step.refused == "") {
			t.Errorf("step %d: the readiness probe says %v", i, probe)
		}
		log.Reset()
		if again := a.policy(t.Context()); fmt.Sprint(again) != fmt.Sprint(err) || log.Len() > 0 {
			t.Errorf("step %d, again: %v, and it says %q", i, again, log)
		}
	}
	if entries, err := os.ReadDir(a.host(ownDir)); err != nil || len(entries) != 2 {
		t.Errorf("%d policies are kept (%v), want the one that holds and the one before", len(entries), err)
	}
}

// TestSyncDropIns: drop-ins of the ConfigMap come to the host beside the node's own, go with their
// keys, and are refused where they loosen or name a file.
func TestSyncDropIns(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	a, dir, _ := agent(t)
	const noBpf = "version: 1\nmandatoryFloors: [x]\nprofiles: {x: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO}]}}}\n"
	ins := a.host(policy.DropInDir)
	if err := os.MkdirAll(ins, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(ins, "own.yaml"), []byte(noBpf), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		files   map[string]string
		refused string
		there   string
	}{
		{files: map[string]string{"policy.yaml": "version: 1\n"}, there: "own.yaml"},
		{files: map[string]string{"policy.yaml": "version: 1\n", "10-bpf.yaml": noBpf}, there: "configmap-10-bpf.yaml own.yaml"},
		{files: map[string]string{"policy.yaml": "version: 1\n", "10-bpf.yaml": "version: 1\nabsent: Unconfined\n"}, refused: `the ConfigMap's key "10-bpf.yaml" is not a drop-in: drop-in "10-bpf.yaml":2:9: absent: a drop-in can only tighten`, there: "configmap-10-bpf.yaml own.yaml"},
		{files: map[string]string{"policy.yaml": "version: 1\n", "10-bpf.yaml": "version: 1\nmandatoryFloors: [x]\nprofiles: {x: {file: /etc/shadow}}\n"}, refused: `write the profile of a ConfigMap's drop-in inline`, there: "configmap-10-bpf.yaml own.yaml"},
		{files: map[string]string{"policy.yaml": "version: 1\n", "20-bpf.yaml": noBpf}, there: "configmap-20-bpf.yaml own.yaml"},
		{files: map[string]string{"policy.yaml": "version: 1\n"}, there: "own.yaml"},
	} {
		mount(t, dir, fmt.Sprint("drop-ins", i), step.files)
		err := a.policy(t.Context())
		if step.refused == "" && err != nil || step.refused != "" && (err == nil || !strings.Contains(err.Error(), step.refused)) {
			t.Errorf("step %d: %v, want %q", i, err, step.refused)
		}
		if probe := a.Check(a.root); (probe == nil) != (step.refused == "") {
			t.Errorf("step %d: the readiness probe says %v", i, probe)
		}
		var names []string
		entries, _ := os.ReadDir(ins)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if got := strings.Join(names, " "); got != step.there {
			t.Errorf("step %d: the host has %q, want %q", i, got, step.there)
		}
	}
	if err := a.removePolicy(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(ins, "own.yaml")); err != nil {
		t.Errorf("the node's own drop-in: %v", err)
	}
}

// TestShippedPolicies: the policies of deploy/policies can be a ConfigMap as they are,
// with the profiles beside them.
func TestShippedPolicies(t *testing.T) {
	const dir = "../../deploy/policies"
	policies, err := filepath.Glob(dir + "/*.yaml")
	if err != nil || len(policies) < 4 {
		t.Fatalf("%q (%v)", policies, err)
	}
	profiles, err := filepath.Glob(dir + "/*.json")
	if err != nil || len(profiles) < 2 {
		t.Fatalf("%q (%v)", profiles, err)
	}
	for _, name := range policies {
		files := make(map[string][]byte)
		for _, file := range append(profiles, name) {
			if files[filepath.Base(file)], err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
		files[policyFile] = files[filepath.Base(name)]
		if base := filepath.Base(name); base != policyFile {
			delete(files, base)
		}
		if err := checkKeys(files); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
