package policy_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

// readNothing is for policies that name no file.
func readNothing(file string) (string, []byte, error) {
	return file, nil, errors.New("no such file or directory")
}

func parse(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, findings := policy.Parse("p.yaml", []byte(text), readNothing)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return p
}

// The embedded default needs no parsing, and is what parsing it gives.
func TestBuiltin(t *testing.T) {
	p := parse(t, policy.Builtin)
	p.Path = policy.BuiltinPath
	if _, err := os.Stat(policy.DefaultPath); os.IsNotExist(err) {
		if loaded, findings := policy.Load(policy.DefaultPath); len(findings) > 0 || !reflect.DeepEqual(loaded, p) {
			t.Errorf("loaded %+v (%v)\nparsed %+v", loaded, findings, p)
		}
	}
	want := policy.Answers{Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.None, Hooks: policy.Keep, Mode: policy.Enforce}
	if p.Answers != want || len(p.Rules) != 0 || p.RestoreAllowed || p.Architectures != "auto" {
		t.Errorf("got %+v", p)
	}
}

func TestRestore(t *testing.T) {
	for word, want := range map[string]bool{"Allow": true, "Deny": false} {
		if p := parse(t, "version: 1\nrestore: "+word); p.RestoreAllowed != want {
			t.Errorf("restore: %s: allowed %v", word, p.RestoreAllowed)
		}
	}
}

// A profile's name is a label of DNS.
func TestProfileNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "z": true, "0": true, "9": true, "a-z": true, "a--0": true, strings.Repeat("a", 63): true,
		strings.Repeat("a", 64): false, "-a": false, "a-": false, "A": false, "a.b": false, "a_b": false, "a{": false, "a`": false, "a:b": false, "a/b": false, "builtin": false,
	} {
		_, findings := policy.Parse("p.yaml", fmt.Appendf(nil, "version: 1\nprofiles: {%q: {inline: {defaultAction: SCMP_ACT_LOG}}}\n", name), readNothing)
		if got := findings.Err() == nil; got != ok {
			t.Errorf("%q: %v", name, findings)
		}
	}
}

// fuzzDropIn reads data as a drop-in: what is accepted demands something and says nothing else.
func fuzzDropIn(t *testing.T, data []byte, read policy.ReadProfile) {
	t.Helper()
	d, findings := policy.ParseDropIn("d.yaml", data, read)
	if (d == nil) != (findings.Err() != nil) {
		t.Fatalf("drop-in %v beside error %v", d, findings.Err())
	}
	if d == nil {
		return
	}
	none := policy.Answers{Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.None, Hooks: policy.Keep, Mode: policy.Enforce}
	if len(d.Mandatory) == 0 || d.Answers != none || len(d.Rules) != 0 || d.RestoreAllowed || d.Log != "" {
		t.Fatalf("drop-in %+v", d)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		policy.Builtin, "", "version: 1\nmode: Audit\n",
		"version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_LOG}}}\nrules:\n- {name: r, match: {pod: {namespace: ['x*']}, kind: [Sandbox], capabilities: [CAP_BPF], annotations: {k: ['?']}}, present: Deny}\n",
		"version: 1\nhooks: Record\nrules:\n- {name: r, match: {mounts: [/etc/batten, '/run/*'], namespaces: [host-pid]}, hooks: Deny}\n",
		goodDropIn, "version: 1\nmandatoryFloors: [RuntimeDefault]\nabsent: Unconfined\n",
		"a: &x [*x]\n<<: *x\n", "? {a: b}\n: c\n", "version: !!int 0x1\n", "\xff\xfe", "- - - -", "version: 1 # \u2028\n",
	} {
		f.Add([]byte(seed))
	}
	read := func(file string) (string, []byte, error) {
		return file, []byte(`{"defaultAction": "SCMP_ACT_LOG"}`), nil
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzDropIn(t, data, read)
		p, findings := policy.Parse("p.yaml", data, read)
		if (p == nil) != (findings.Err() != nil) {
			t.Fatalf("policy %v beside error %v", p, findings.Err())
		}
		if p == nil {
			return
		}
		// Whatever was accepted decides, and by words that mean something.
		for _, filtered := range []bool{false, true} {
			r := policy.Request{ContainerdNamespace: "k8s.io", Filtered: filtered}
			if o := p.Resolve(r, nil, policy.Machine{}); o.Word == "" || o.Mode == "" || o.Reason == "" {
				t.Fatalf("outcome %+v", o)
			}
		}
	})
}
