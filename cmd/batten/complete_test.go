package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completeFixture writes a policy with a rule and a profile, and a record.
func completeFixture(t *testing.T) (dir, policy, records string) {
	t.Helper()
	dir = t.TempDir()
	policy, records = filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "records")
	writeText(t, filepath.Join(dir, "db.json"), `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}`)
	writeText(t, policy, "version: 1\nprofiles: {db: {file: db.json}}\nrules:\n- {name: tenants, match: {}, absent: db}\n")
	writeText(t, filepath.Join(records, "k8s.io/0123.json"), `{"containerdNamespace":"k8s.io","id":"0123","bundle":"/","kind":"Container","podNamespace":"web","podName":"shop","container":"main","image":"nginx","attestation":{"state":"Pending"}}`)
	return dir, policy, records
}

// What shells are offered, by cobra's own protocol: a word a line, and a directive.
func TestComplete(t *testing.T) {
	_, policy, records := completeFixture(t)
	for _, tt := range []struct {
		args []string
		want []string // among what is offered
		not  string
	}{
		{args: []string{"ver"}, want: []string{"verify", "version"}, not: "check"},
		{args: []string{"help", "ch"}, want: []string{"check"}},
		{args: []string{"man", ""}, want: []string{"batten-policy", "check"}},
		{args: []string{"completion", ""}, want: []string{"bash", "zsh", "fish", "powershell"}},
		{args: []string{"prove", "--fl"}, want: []string{"--floor"}},
		{args: []string{"verify", "--dir", records, ""}, want: []string{"0123"}},
		{args: []string{"verify", "--dir", records, "0123", ""}, not: "0123"},
		{args: []string{"denials", "--dir", records, "--pod", ""}, want: []string{"web/shop"}},
		{args: []string{"suggest", "--dir", records, ""}, want: []string{"0123"}},
		{args: []string{"prove", "--floor", ""}, want: []string{"RuntimeDefault"}},
		{args: []string{"floor", "Run"}, want: []string{"RuntimeDefault"}},
		{args: []string{"explain", "--policy", policy, "--kind", ""}, want: []string{"Container", "Sandbox"}},
		{args: []string{"explain", "--shares", "host-p"}, want: []string{"host-pid"}},
		{args: []string{"explain", "--capability", "CAP_BP"}, want: []string{"CAP_BPF"}},
		{args: []string{"lint", "--pod-security", "b"}, want: []string{"baseline"}},
		{args: []string{"records", "--profile", ""}, want: []string{"RuntimeDefault"}},
	} {
		got := offered(t, tt.args...)
		for _, want := range tt.want {
			if !slices.Contains(got, want) {
				t.Errorf("batten %q offers %q, and not %q", tt.args, got, want)
			}
		}
		if slices.Contains(got, tt.not) && tt.not != "" {
			t.Errorf("batten %q offers %q", tt.args, tt.not)
		}
	}
	var stdout bytes.Buffer
	if run([]string{"__complete", "prove", "--fl"}, nil, &stdout, &bytes.Buffer{}); !strings.HasPrefix(stdout.String(), "--floor\tprofile that the others are held against\n") {
		t.Errorf("a flag is described as %q", stdout.String())
	}
}

// Rules and profiles are those of the policy that the command asks.
func TestCompletePolicy(t *testing.T) {
	dir, policy, _ := completeFixture(t)
	cmd := newExplain()
	if err := cmd.ParseFlags([]string{"--policy", policy}); err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct {
		complete completer
		want     string
	}{
		"rules":         {complete: completeRules, want: "tenants"},
		"profile names": {complete: completeProfileNames, want: "RuntimeDefault db"},
	} {
		if got, _ := tt.complete(cmd, nil, ""); strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", what, got, tt.want)
		}
	}
	if got, _ := completeProfiles(cmd, nil, ""); !slices.Contains(got, filepath.Join(dir, "db.json")+"\tof the node's policy") {
		t.Errorf("profiles: %q", got)
	}
}

// Words of records come with what they are of.
func TestCompleteRecords(t *testing.T) {
	_, _, records := completeFixture(t)
	cmd := newVerify()
	if err := cmd.ParseFlags([]string{"--dir", records}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, word := range []recordWord{recordID, recordPod, recordPodNamespace, recordContainer, recordImage} {
		offers, _ := completeRecords(word)(cmd, nil, "")
		got = append(got, offers...)
	}
	want := []string{"0123\tweb/shop main (k8s.io/0123)", "shop\tin namespace web", "web", "main\tin pod web/shop", "nginx"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// offered returns what batten offers a shell for the last of some words, without its
// descriptions and the directive.
func offered(t *testing.T, words ...string) (out []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(append([]string{"__complete"}, words...), nil, &stdout, &stderr); status != exitFine {
		t.Errorf("batten %q: exit %d, %s", words, status, stderr.String())
	}
	for line := range strings.Lines(stdout.String()) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		out = append(out, word)
	}
	return out
}

// Broken and missing files offer nothing, and end nothing.
func TestCompleteOfNothing(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "policy.yaml")
	writeText(t, broken, "version: 1\nnonsense: 1\n")
	for _, path := range []string{broken, filepath.Join(dir, "none")} {
		cmd := newExplain()
		if err := cmd.ParseFlags([]string{"--policy", path}); err != nil {
			t.Fatal(err)
		}
		if got, _ := completeRules(cmd, nil, ""); got != nil {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := offered(t, "verify", "--dir", filepath.Join(dir, "none"), ""); len(got) != 1 {
		t.Errorf("offered %q", got)
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
