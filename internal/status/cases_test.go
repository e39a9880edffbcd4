package status

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/cases"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
	"github.com/containerd/log"
)

// Judge says of each case what explain and the enforcer say, in the same words: what
// ran as they have it is proved or allowed, what ran without a filter is not.
func TestCases(t *testing.T) {
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	level := log.GetLevel()
	t.Cleanup(func() { _ = log.SetLevel(level.String()) })
	_ = log.SetLevel("error")
	judged := 0
	for _, c := range all {
		if strings.HasPrefix(c.Want(), "error: ") || c.Container.Restore {
			continue // nothing runs, or what runs is in a checkpoint
		}
		judged++
		t.Run(c.Name, func(t *testing.T) { judgeCase(t, c) })
	}
	if judged < 60 {
		t.Errorf("only %d of %d cases were judged", judged, len(all))
	}
}

func judgeCase(t *testing.T, c cases.Case) {
	dir := t.TempDir()
	path, err := c.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, spec.FileName), c.Spec, 0o600); err != nil {
		t.Fatal(err)
	}
	j := &Judge{
		Policy: func(string) (*policy.Policy, error) {
			p, findings := cases.Draft{}.Get(path)
			return p, findings.Err()
		},
		Machine: func(string) policy.Machine { return c.Machine() },
		Live:    func(int) (filter.Stack, error) { return given(t, dir), nil },
	}
	_, reason, _ := strings.Cut(c.Field("decision"), ", because ")

	if c.Container.Engine == "" {
		judgeStranger(t, j, c, dir)
	}
	if c.Field("refused") != "" {
		return
	}

	// Batten's own, as the enforcer starts it.
	e := &enforce.Enforcer{Policies: cases.Draft{}, Records: record.Store{Dir: t.TempDir()}, Machine: c.Machine(), Listen: cases.Listen, Now: time.Now}
	prepared, err := e.Prepare(enforce.Container{
		ContainerdNamespace: c.Container.Namespace, Engine: c.Container.Engine, ID: "c", Bundle: dir, Runtime: c.Container.Runtime, Policy: path, Call: c.Call(),
	})
	if err != nil {
		t.Fatal(err)
	}
	own := &Container{
		ContainerdNamespace: c.Container.Namespace, bundle: dir, Supervisor: supervisor(c), Record: prepared.Record,
		Seccomp: 2, Filters: 1, Pid: 7, heads: []procfs.Process{{Pid: 7}}, shared: 1, filtered: true,
	}
	if prepared.Record.Result == record.None {
		own.Seccomp, own.Filters, own.filtered = 0, 0, false
	}
	v := j.Judge(own)
	if audits := prepared.Record.Mode == policy.Audit; !v.Safe && !audits {
		t.Errorf("as it was started: %s %s", v.Kind, v.Text)
	}
	if own.Seccomp == 0 {
		return
	}
	own.Seccomp, own.Filters, own.filtered = 0, 0, false
	if v := j.Judge(own); v.Kind != Unfiltered || !strings.Contains(v.Text, reason) {
		t.Errorf("without its filter: %s %s", v.Kind, v.Text)
	}
}

// judgeStranger judges a container of somebody else's, which runs without a filter. Of such a
// one nobody knows that CRI-O made it.
func judgeStranger(t *testing.T, j *Judge, c cases.Case, dir string) {
	t.Helper()
	stranger := &Container{ContainerdNamespace: c.Container.Namespace, bundle: dir, Supervisor: supervisor(c)}
	v := j.Judge(stranger)
	if allowed := v.Kind == Allowed; allowed != strings.HasPrefix(c.Field("decision"), "leave it as it is, because it asks for no") {
		t.Errorf("bypasses Batten, unfiltered: %s %s", v.Kind, v.Text)
	}
	plain := func(s string) string { return strings.ReplaceAll(s, dir+"/", "") }
	_, reason, _ := strings.Cut(c.Field("decision"), ", because ")
	refused := c.Field("refused")
	if text := plain(v.Text); !strings.Contains(text, reason) && (refused == "" || !strings.Contains(text, refused)) {
		t.Errorf("got %q, which says neither %q nor %q", text, reason, refused)
	}
}

func supervisor(c cases.Case) string {
	if c.Container.Runtime == names.Wrapper {
		return "conmon"
	}
	return names.Shim
}

// given returns what the runtime makes of the bundle's profile.
func given(t *testing.T, bundle string) filter.Stack {
	t.Helper()
	s, err := spec.Load(bundle)
	if err != nil {
		t.Fatal(err)
	}
	own, err := profile.Decode(s.Seccomp)
	if err != nil || own == nil {
		t.Fatalf("%s (%v)", s.Seccomp, err)
	}
	program, err := filter.Compile(own)
	if err != nil {
		t.Fatal(err)
	}
	return filter.Stack{program}
}
