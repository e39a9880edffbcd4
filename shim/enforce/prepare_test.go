package enforce_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
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
		Records:  record.Store{Dir: t.TempDir()},
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
	fourCalls = `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "write", "exit", "fstat"], "action": "SCMP_ACT_ALLOW"}]}}}`
	// allowsKeyctl brings in speculation as well, by leaving flags out, as the
	// floor does.
	allowsKeyctl = `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ALLOW"}]}}}`
	noKeyring    = "version: 1\nprofiles:\n  ours: {inline: {defaultAction: SCMP_ACT_LOG}}\n  no-keyring: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl, add_key], action: SCMP_ACT_ERRNO}]}}\n"
	ours         = "version: 1\nprofiles: {ours: {inline: {defaultAction: SCMP_ACT_LOG}}}\n"
)

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
	if p.Record.Asked != record.None {
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

// A second pass over a filter that the first one kept keeps it as it is, and knows
// what the container brought.
func TestPrepareKeptTwice(t *testing.T) {
	e, dir := enforcer(t, "version: 1"), bundle(t, brings)
	first, err := e.Prepare(container(dir))
	if err != nil {
		t.Fatal(err)
	}
	written := read(t, dir)
	second, err := e.Prepare(container(dir))
	if err != nil {
		t.Fatal(err)
	}
	if read(t, dir) != written || second.Record.Result != first.Record.Result || second.Record.Asked != first.Record.Asked || !second.Record.Kept {
		t.Errorf("the second pass wrote\n%s\nwith the record %+v, after\n%s\nwith %+v", read(t, dir), second.Record, written, first.Record)
	}
}

// What filters nothing is not passed on where the policy lets it be.
func TestPrepareWhatFiltersNothing(t *testing.T) {
	e, dir := enforcer(t, "version: 1\nabsent: Unconfined"), bundle(t, `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}}`)
	for range 2 {
		p, err := e.Prepare(container(dir))
		if err != nil || p.Required() || p.Record.Result != record.None || p.Record.Asked != record.None {
			t.Errorf("got %+v (%v)", p.Record, err)
		}
		if got, want := read(t, dir), `{"linux": {"seccomp": null}}`; got != want {
			t.Errorf("config.json is %s, want %s", got, want)
		}
	}
}

// Only what Batten itself put there is Batten's: not a filter that an earlier
// pass kept, nor another one in its place.
func TestPrepareAgainUnderAnotherPolicy(t *testing.T) {
	for _, tt := range []struct{ name, first, then string }{
		{name: "kept before", first: brings, then: brings},
		{name: "exchanged since", first: unset, then: brings},
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
	if rec := p.Record; rec.Verdict != policy.Replace || rec.Word != "ours" || !rec.Kept || rec.Mode != policy.Audit {
		t.Errorf("got %+v", rec)
	}
}

func TestPrepareRestore(t *testing.T) {
	for _, tt := range []struct{ policy, refusal string }{
		{
			policy:  "version: 1",
			refusal: `batten: container refused: policy "/etc/p.yaml": restore is Deny: a checkpoint brings a seccomp filter of its own, which the policy cannot see; start the container anew, or write restore: Allow`,
		},
		{policy: "version: 1\nrestore: Allow"},
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
	e := enforce.Enforcer{Policies: text("version: 1\nabsent: Deny\n"), Records: record.Store{Dir: dir}, Now: time.Now}
	_, err = e.Prepare(enforce.Container{ContainerdNamespace: "default", ID: "c1", Bundle: dir})
	fmt.Println(strings.SplitAfter(err.Error(), ";")[0])
	// Output:
	// batten: container refused: it asks for no seccomp filter, and the policy's top level says absent: Deny (policy "/etc/batten/policy.yaml");
}
