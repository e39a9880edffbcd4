package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/cases"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
)

// Each case is explained in its words. -update writes them.
func TestCases(t *testing.T) {
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 80 {
		t.Errorf("%d cases, want 80 at least", len(all))
	}
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			got, result := explained(t, c)
			if *update {
				if err := c.Update(got, result); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != c.Want() {
				t.Errorf("explain says\n%s\nwant\n%s", got, c.Want())
			}
			if want, named := c.Profile(); named && want != strings.TrimSpace(result) {
				t.Errorf("explain has the profile\n%s\nwant\n%s", result, want)
			}
		})
	}
}

// explained returns what explain prints for a case from "rule:" on, or its error,
// and the profile.
func explained(t *testing.T, c cases.Case) (text, result string) {
	t.Helper()
	dir := t.TempDir()
	path, err := c.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(s string) string { return strings.ReplaceAll(s, dir+"/", "") }
	p, findings := policy.Loader{AnyOwner: true}.Load(path)
	if err := findings.Err(); err != nil {
		return "error: " + plain(err.Error()) + "\n", ""
	}
	q := &question{namespace: c.Container.Namespace, runtime: c.Container.Runtime, kind: policy.Container, engine: &engineFlag{name: c.Container.Engine}}
	q.given = map[string]bool{"containerd-namespace": true, "runtime": true}
	request, err := q.request(p, filepath.Join(dir, "config.json"), c.Spec)
	if err != nil {
		return "error: " + plain(err.Error()) + "\n", ""
	}
	request.Restore = c.Container.Restore
	var out bytes.Buffer
	switch err := q.explainContainer(&out, p, request, c.Machine()); {
	case err != nil && err != errNo:
		t.Fatal(err)
	case (err == errNo) != (strings.Contains(out.String(), "refuse it") && (!strings.Contains(out.String(), "\nmode:") || strings.Contains(out.String(), "refused all the same"))):
		t.Errorf("exit status %v beside\n%s", err, out.String())
	}
	_, text, _ = strings.Cut(out.String(), "\nrule:")
	if o := p.Resolve(request, q.asked, c.Machine()); o.Installed() != nil && !o.Refused() {
		result = socketless(string(profile.Encode(*o.Installed())), request.Listener) + "\n"
	}
	return plain("rule:" + text), result
}

// socketless returns a profile with cases.Socket in place of the listener's path.
func socketless(s, listener string) string {
	if listener == "" {
		return s
	}
	return strings.ReplaceAll(s, listener, cases.Socket)
}
