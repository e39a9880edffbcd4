package enforce_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
)

// text is a policy that is given and not read from a file.
type text string

func (p text) Get(path string) (*policy.Policy, document.Findings) {
	return policy.Parse(path, []byte(p), nil)
}

func enforcer(t *testing.T, p string) *enforce.Enforcer {
	t.Helper()
	return &enforce.Enforcer{
		Policies: text(p),
		Records:  enforce.Records{Dir: t.TempDir()},
		Now:      func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	}
}

func bundle(t *testing.T, spec string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func container(bundle string) enforce.Container {
	return enforce.Container{ContainerdNamespace: "default", ID: "c1", Bundle: bundle, Runtime: "io.containerd.batten.v2", Binary: "runc", Policy: "/etc/p.yaml"}
}

const (
	unset     = `{"process": {}, "linux": {}}`
	brings    = `{"process": {}, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}}}`
	bpfData   = `{"annotations": {"run.oci.seccomp_bpf_data": "BgAAAAAA/38="}, `
	plugins   = `{"annotations": {"run.oci.seccomp.plugins": ""}, `
	logging   = `{"defaultAction":"SCMP_ACT_LOG"}`
	fourCalls = `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "write", "exit", "fstat"], "action": "SCMP_ACT_ALLOW"}]}}}`
	// allowsKeyctl brings in speculation as well, by leaving flags out, as the
	// floor does.
	allowsKeyctl = `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ALLOW"}]}}}`
	strictEnough = `{"linux": {"seccomp": {"syscalls": [ {"names": ["add_key","keyctl","bpf"], "action": "SCMP_ACT_KILL_PROCESS"} ], "defaultAction": "SCMP_ACT_ALLOW"}}}`
	notifies     = `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}}}`
	noKeyring    = "version: 1\nprofiles:\n  ours: {inline: {defaultAction: SCMP_ACT_LOG}}\n  no-keyring: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl, add_key], action: SCMP_ACT_ERRNO}]}}\n"
	ours         = "version: 1\nprofiles: {ours: {inline: {defaultAction: SCMP_ACT_LOG}}}\n"
)

func TestPrepare(t *testing.T) {
	def := profile.Encode(profile.RuntimeDefault(nil))
	for _, tt := range []struct {
		name, policy, spec string
		// want is config.json afterwards, refusal the whole error.
		want, refusal string
		state         enforce.State
	}{
		{"unset gets the default", "version: 1", unset, `{"process": {}, "linux": {"seccomp":` + string(def) + `}}`, "", enforce.Pending},
		{"null gets the default", "version: 1", `{"linux": {"seccomp": null}}`, `{"linux": {"seccomp": ` + string(def) + `}}`, "", enforce.Pending},
		{"what filters nothing gets the default", "version: 1", `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}}`, `{"linux": {"seccomp": ` + string(def) + `}}`, "", enforce.Pending},
		{"a filter is kept", "version: 1", brings, brings, "", enforce.Pending},
		{"unset gets ours", ours + "absent: ours", unset, `{"process": {}, "linux": {"seccomp":` + logging + `}}`, "", enforce.Pending},
		{"a filter is replaced", ours + "present: ours", brings, `{"process": {}, "linux": {"seccomp": ` + logging + `}}`, "", enforce.Pending},
		{"unconfined is let be", "version: 1\nabsent: Unconfined", unset, unset, "", enforce.NotRequired},
		{"unset is denied", "version: 1\nabsent: Deny", unset, unset, `batten: container refused: it asks for no seccomp filter, and the policy's top level says absent: Deny (policy "/etc/p.yaml"); ask for a filter (in Kubernetes: securityContext.seccompProfile.type RuntimeDefault or Localhost, and not privileged), or have the node's policy changed`, ""},
		{"unset is allowed beside it", "version: 1\npresent: Deny", unset, `{"process": {}, "linux": {"seccomp":` + string(def) + `}}`, "", enforce.Pending},
		{"a filter is denied", "version: 1\npresent: Deny", brings, brings, `batten: container refused: it brings a seccomp filter, and the policy's top level says present: Deny (policy "/etc/p.yaml"); leave the filter out, or have the node's policy changed`, ""},
		{"denied in audit mode", "version: 1\nabsent: Deny\nmode: Audit", unset, unset, "", enforce.NotRequired},
		{"replaced in audit mode", ours + "present: ours\nmode: Audit", brings, brings, "", enforce.NotRequired},
		{"a filter that cannot start anything", "version: 1", fourCalls, fourCalls, `batten: container refused: its seccomp profile cannot start any container: it denies close, execve, fstatfs, getdents64, openat, openat2, statx, capget, capset, chdir, futex, getcwd, getppid, newfstatat, prctl, setgid, setgroups, setuid, which the runtime needs after the filter is in place; add them, or ask for RuntimeDefault`, ""},
		{"a filter is tightened to the floor", noKeyring + "floor: no-keyring", allowsKeyctl, `{"linux": {"seccomp": {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["add_key","keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}}}`, "", enforce.Pending},
		{"one as strict stays byte for byte", noKeyring + "floor: no-keyring", strictEnough, strictEnough, "", enforce.Pending},
		{"what is put in place has the floor, too", noKeyring + "absent: ours\nfloor: no-keyring", unset, `{"process": {}, "linux": {"seccomp":{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["add_key","keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}}}`, "", enforce.Pending},
		{"what is put in place is as strict as its floor", "version: 1\nabsent: a\nfloor: b\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl, bpf], action: SCMP_ACT_ERRNO}]}}, b: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}}", unset, `{"process": {}, "linux": {"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["keyctl","bpf"],"action":"SCMP_ACT_ERRNO"}]}}}`, "", enforce.Pending},
		{"unconfined with a floor gets the floor", noKeyring + "absent: Unconfined\nfloor: no-keyring", unset, `{"process": {}, "linux": {"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["keyctl","add_key"],"action":"SCMP_ACT_ERRNO"}]}}}`, "", enforce.Pending},
		{"a floor in audit mode", noKeyring + "floor: no-keyring\nmode: Audit", allowsKeyctl, allowsKeyctl, "", enforce.NotRequired},
		{"a floor that cannot be computed", noKeyring + "floor: no-keyring", notifies, notifies, `batten: container refused: policy "/etc/p.yaml": floor "no-keyring" cannot be put under its profile: the profile: a rule has SCMP_ACT_NOTIFY but listenerPath is missing; runc refuses that`, ""},
		{"the same in audit mode", noKeyring + "floor: no-keyring\nmode: Audit", notifies, notifies, "", enforce.NotRequired},
		{"a floor that filters nothing for this container", "version: 1\nfloor: f\nprofiles: {f: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO, includes: {caps: [CAP_BPF]}}]}}}", brings, brings, `batten: container refused: policy "/etc/p.yaml": floor "f" filters nothing for a container with these capabilities; write None where that is meant`, ""},
		{"a broken policy", "version: 1\nabsent: Dany\nmode: on", unset, unset, "batten: container refused: policy \"/etc/p.yaml\":3:7: mode: unknown value \"on\", want Enforce, Audit\npolicy \"/etc/p.yaml\":2:9: absent: unknown word \"Dany\", want RuntimeDefault, Unconfined, Deny or the name of a profile; did you mean \"Deny\"?", ""},
		{"a spec that reads two ways", "version: 1", `{"linux": {}, "Linux": {}}`, `{"linux": {}, "Linux": {}}`, `batten: container refused: spec "BUNDLE/config.json":1:15: key "Linux" in the spec differs from "linux" only in case; runtimes may take either: write "linux"`, ""},
		{"an annotation in place of the filter", "version: 1", bpfData + unset[1:], bpfData + unset[1:], `batten: container refused: annotation "run.oci.seccomp_bpf_data": crun would take it for the filter in place of linux.seccomp; remove it`, ""},
		{"an annotation that answers for the filter", "version: 1", plugins + brings[1:], plugins + brings[1:], `batten: container refused: annotation "run.oci.seccomp.plugins": crun would take it for the filter in place of linux.seccomp; remove it`, ""},
		{"the same where no filter must be", "version: 1\nabsent: Unconfined", bpfData + unset[1:], bpfData + unset[1:], "", enforce.NotRequired},
		{"the same in audit mode", "version: 1\nmode: Audit", bpfData + unset[1:], bpfData + unset[1:], "", enforce.NotRequired},
		{"a filter of a wrong type", "version: 1", `{"linux": {"seccomp": {"syscalls": 1}}}`, `{"linux": {"seccomp": {"syscalls": 1}}}`, `batten: container refused: spec "BUNDLE": linux.seccomp: json: cannot unmarshal number into Go struct field LinuxSeccomp.syscalls of type []specs.LinuxSyscall`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, dir := enforcer(t, tt.policy), bundle(t, tt.spec)
			p, err := e.Prepare(container(dir))
			checkRefusal(t, err, strings.ReplaceAll(tt.refusal, "BUNDLE", dir))
			if got := read(t, dir); got != tt.want {
				t.Errorf("config.json is\n%s\nwant\n%s", got, tt.want)
			}
			rec, err := e.Records.Read("default", "c1")
			if tt.refusal != "" {
				if !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a refused container has a record: %+v (%v)", rec, err)
				}
				return
			}
			if err != nil || rec.Attestation.State != tt.state || p.Required() != (tt.state == enforce.Pending) {
				t.Errorf("record %+v (%v), want state %s", rec, err, tt.state)
			}
		})
	}
}

func checkRefusal(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	var refusal *enforce.Refusal
	if errors.As(err, &refusal) {
		got = err.Error()
	} else if err != nil {
		t.Errorf("the error is a %T", err)
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func read(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A second pass over a bundle sees its own result, not a container's wish.
func TestPrepareTwice(t *testing.T) {
	e, dir := enforcer(t, "version: 1\npresent: Deny\n"), bundle(t, unset)
	if _, err := e.Prepare(container(dir)); err != nil {
		t.Fatal(err)
	}
	first := read(t, dir)
	p, err := e.Prepare(container(dir))
	if err != nil {
		t.Fatal(err)
	}
	if again := read(t, dir); again != first {
		t.Errorf("the second pass wrote\n%s\nafter\n%s", again, first)
	}
	if p.Record.Asked != enforce.None {
		t.Errorf("asked %s", p.Record.Asked)
	}
	// Without the record it is the container's own, and denied.
	if err := e.Forget("default", "c1"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Prepare(container(dir)); err == nil {
		t.Error("a filter that the container brings is taken for Batten's")
	}
}

// Only what Batten itself put there is Batten's: not a filter that an earlier
// pass kept, nor another one in its place.
func TestPrepareAgainUnderAnotherPolicy(t *testing.T) {
	for _, tt := range []struct{ name, first, then string }{
		{"kept before", brings, brings},
		{"exchanged since", unset, brings},
	} {
		e, dir := enforcer(t, "version: 1"), bundle(t, tt.first)
		if _, err := e.Prepare(container(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(tt.then), 0o600); err != nil {
			t.Fatal(err)
		}
		e.Policies = text("version: 1\npresent: Deny")
		if _, err := e.Prepare(container(dir)); err == nil || !strings.Contains(err.Error(), "it brings a seccomp filter") {
			t.Errorf("%s: %v, want a refusal", tt.name, err)
		}
	}
}

// In audit mode the record tells what would have been, and what is.
func TestAuditRecord(t *testing.T) {
	e := enforcer(t, ours+"present: ours\nmode: Audit")
	p, err := e.Prepare(container(bundle(t, brings)))
	if err != nil {
		t.Fatal(err)
	}
	if rec := p.Record; rec.Verdict != policy.Replace || rec.Word != "ours" || rec.Result != rec.Asked || rec.Mode != policy.Audit {
		t.Errorf("got %+v", rec)
	}
}

func TestPrepareRestore(t *testing.T) {
	for _, tt := range []struct{ policy, refusal string }{
		{"version: 1", `batten: container refused: policy "/etc/p.yaml": restore is Deny: a checkpoint brings a seccomp filter of its own, which the policy cannot see; start the container anew, or write restore: Allow`},
		{"version: 1\nrestore: Allow", ""},
	} {
		e := enforcer(t, tt.policy)
		c := container(bundle(t, unset))
		c.Restore = true
		p, err := e.Prepare(c)
		checkRefusal(t, err, tt.refusal)
		if tt.refusal == "" && (!p.Required() || len(p.Record.Notes) != 1) {
			t.Errorf("restored: %+v", p.Record)
		}
	}
}

// Nothing runs that no record tells of.
func TestPrepareWithoutRecord(t *testing.T) {
	e, dir := enforcer(t, "version: 1"), bundle(t, unset)
	e.Records.Dir = filepath.Join(dir, "config.json") // a file
	_, err := e.Prepare(container(dir))
	if err == nil || !strings.HasPrefix(err.Error(), "batten: container refused: ") {
		t.Errorf("got %v", err)
	}
	if got := read(t, dir); got != unset {
		t.Errorf("config.json was written: %s", got)
	}
}

func TestMissingIsForTheErrorOfTheRuntime(t *testing.T) {
	spec := strings.Replace(fourCalls, `"fstat"]`, `"fstat", "execve", "close"]`, 1)
	p, err := enforcer(t, "version: 1").Prepare(container(bundle(t, spec)))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Missing, " "); !strings.HasPrefix(got, "fstatfs getdents64 openat ") {
		t.Errorf("missing: %s", got)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "bundle")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	err = os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"linux": {}}`), 0o600)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := enforce.Enforcer{Policies: text("version: 1\nabsent: Deny\n"), Records: enforce.Records{Dir: dir}, Now: time.Now}
	_, err = e.Prepare(enforce.Container{ContainerdNamespace: "default", ID: "c1", Bundle: dir})
	fmt.Println(strings.SplitAfter(err.Error(), ";")[0])
	// Output:
	// batten: container refused: it asks for no seccomp filter, and the policy's top level says absent: Deny (policy "/etc/batten/policy.yaml");
}
