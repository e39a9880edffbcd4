package enforce_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/cases"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
	"github.com/containerd/log"
)

// Prepare does to each case what explain says, in the same words.
func TestCases(t *testing.T) {
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	level := log.GetLevel()
	t.Cleanup(func() { _ = log.SetLevel(level.String()) })
	_ = log.SetLevel("error")
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) { prepareCase(t, c) })
	}
}

func prepareCase(t *testing.T, c cases.Case) {
	dir := t.TempDir()
	path, err := c.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), c.Spec, 0o600); err != nil {
		t.Fatal(err)
	}
	e := &enforce.Enforcer{Policies: cases.Draft{}, Records: record.Store{Dir: t.TempDir()}, Machine: c.Machine(), Listen: cases.Listen, Now: time.Now}
	p, err := e.Prepare(enforce.Container{
		ContainerdNamespace: c.Container.Namespace, Engine: c.Container.Engine, ID: "c", Bundle: dir,
		Runtime: c.Container.Runtime, Policy: path, Restore: c.Container.Restore, Call: c.Call(),
	})
	if refusal := refusalOf(c); err != nil || refusal != "" {
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), dir+"/", "")
		}
		if want := "batten: container refused: " + refusal; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := read(t, dir); got != string(c.Spec) {
			t.Errorf("a refused container's config.json was changed:\n%s", got)
		}
		if list, err := e.Records.List(); err != nil || len(list) != 0 {
			t.Errorf("a refused container has a record: %v (%v)", list, err)
		}
		return
	}
	checkRecord(t, c, p.Record)
	checkSchema(t, e.Records, p.Record)
	checkBundle(t, c, dir)
}

// refusalOf returns the error with which the case is refused; empty if it starts.
func refusalOf(c cases.Case) string {
	if _, broken, ok := strings.Cut(c.Want(), "error: "); ok {
		return strings.TrimSuffix(broken, "\n")
	}
	if mode := c.Field("mode"); mode != "" && !strings.Contains(mode, "refused all the same") {
		return ""
	}
	return c.Field("refused")
}

func checkRecord(t *testing.T, c cases.Case, rec *record.Record) {
	t.Helper()
	if want := strings.TrimPrefix(c.Field("rule"), "-"); rec.Rule != want {
		t.Errorf("rule %q, want %q", rec.Rule, want)
	}
	if _, reason, _ := strings.Cut(c.Field("decision"), ", because "); rec.Reason != reason {
		t.Errorf("reason %q, want %q", rec.Reason, reason)
	}
	want := c.Fields("note")
	if c.Field("refused") != "" {
		want = append(want, "would be refused: "+c.Field("refused"))
	}
	if c.Container.Restore {
		want = append(want, "restored: the filter came out of the checkpoint")
	}
	notes := strings.ReplaceAll(strings.Join(rec.Notes, "\n"), filepath.Dir(rec.Policy)+"/", "")
	if notes != strings.Join(want, "\n") {
		t.Errorf("notes\n%s\nwant\n%s", notes, strings.Join(want, "\n"))
	}
	if (rec.Mode == policy.Audit) != (c.Field("mode") != "") {
		t.Errorf("mode %s", rec.Mode)
	}
	if (rec.WouldChange != nil) != (rec.Mode == policy.Audit) {
		t.Errorf("mode %s, and it would change %v", rec.Mode, rec.WouldChange)
	}
	if change := rec.WouldChange; change != nil && !change.Refused && "it "+change.Text != c.Field("enforced") {
		t.Errorf("%q, and explain says %q", change.Text, c.Field("enforced"))
	}
	if tightened := strings.Contains(c.Field("decision"), ", tightened to"); tightened != rec.Tightened {
		t.Errorf("tightened: %v, and explain says %s", rec.Tightened, c.Field("decision"))
	}
	if filtered := rec.Result != record.None && (rec.Mode == policy.Enforce || rec.Mandatory != ""); filtered != (rec.Attestation.State == record.Pending) {
		t.Errorf("result %s, attestation %s", rec.Result, rec.Attestation.State)
	}
}

// checkBundle compares what the bundle holds now with the case's profile.
func checkBundle(t *testing.T, c cases.Case, dir string) {
	t.Helper()
	s, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	held := strings.Contains(c.Field("mode"), "never looser") // audits change nothing else
	if got := withoutSeal(t, dir, s, c.Spec); c.Field("profile") == "" && !held && got != string(c.Spec) {
		t.Errorf("config.json was changed:\n%s", got)
	}
	want, named := c.Profile()
	if !named {
		return
	}
	got := ""
	if brought, err := enforce.Brought(s); err != nil {
		t.Fatal(err)
	} else if brought != nil {
		if c.Container.OCIRuntime != "" && strings.HasSuffix(brought.ListenerPath, ".sock") && !strings.HasPrefix(brought.ListenerPath, "/run/agent") {
			brought.ListenerPath = cases.Socket
		}
		got = string(profile.Encode(*brought))
	}
	if !sameJSON(t, got, want) {
		t.Errorf("config.json holds\n%s\nwant\n%s", got, want)
	}
}

// withoutSeal returns config.json with linux.seccomp as it was, if Prepare has done no
// more than seal that.
func withoutSeal(t *testing.T, dir string, s *spec.Spec, before []byte) string {
	t.Helper()
	old, err := spec.Load(bundle(t, string(before)))
	if err != nil {
		t.Fatal(err)
	}
	now, err := profile.Decode(s.Seccomp)
	if err != nil {
		t.Fatal(err)
	}
	if now == nil {
		if was, err := profile.Decode(old.Seccomp); err != nil || was != nil && !profile.FiltersNothing(was) {
			t.Errorf("linux.seccomp is gone: %s (%v)", old.Seccomp, err)
		}
		if len(old.Seccomp) > 0 {
			return string(s.Splice(old.Seccomp))
		}
		return read(t, dir)
	}
	if len(now.Syscalls) == 0 || len(profile.Unseal(*now).Syscalls) != len(now.Syscalls)-1 {
		t.Errorf("linux.seccomp is not sealed: %s", s.Seccomp)
	}
	was, err := profile.Decode(old.Seccomp)
	if err != nil || was == nil || string(profile.Encode(*was)) != string(profile.Encode(profile.Unseal(*now))) {
		return string(s.Seccomp)
	}
	return string(s.Splice(old.Seccomp))
}

// sameJSON compares two values, whatever the order of their keys.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var values [2]any
	for i, text := range []string{a, b} {
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), &values[i]); err != nil {
			t.Fatal(err)
		}
	}
	x, _ := json.Marshal(values[0])
	y, _ := json.Marshal(values[1])
	return bytes.Equal(x, y)
}
