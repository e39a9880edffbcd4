package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"go.yaml.in/yaml/v3"
)

// everything is a policy with every key of a policy and of a profile.
const everything = `version: 1
absent: one
present: Keep
floor: RuntimeDefault
runtimeDefault: builtin
architectures: auto
restore: Deny
mode: Enforce
denials: Count
log: /var/log/batten/log.jsonl
hooks: Record
mandatoryFloors: [one, RuntimeDefault]
profiles:
  one:
    inline:
      defaultAction: SCMP_ACT_ALLOW
      defaultErrnoRet: 1
      defaultErrno: EPERM
      architectures: [SCMP_ARCH_X86_64]
      flags: [SECCOMP_FILTER_FLAG_LOG]
      listenerPath: /run/agent.sock
      listenerMetadata: text
      syscalls:
      - names: [keyctl, bpf]
        action: SCMP_ACT_ERRNO
        errnoRet: 38
        errno: ENOSYS
        args: [{index: 0, value: 1, valueTwo: 2, op: SCMP_CMP_MASKED_EQ}]
        includes: {caps: [CAP_BPF], arches: [amd64], minKernel: "4.8"}
        excludes: {caps: [CAP_SYS_ADMIN]}
        comment: text
      - {name: ptrace, action: SCMP_ACT_NOTIFY}
  two: {file: two.json}
  three:
    inline:
      defaultAction: SCMP_ACT_LOG
      archMap: [{architecture: SCMP_ARCH_X86_64, subArchitectures: [SCMP_ARCH_X86]}]
  four:
    from: one
    allow: [{names: [bpf], args: [{index: 0, op: SCMP_CMP_EQ, value: 1, width: 32}]}]
    deny:
    - {names: [keyctl], errno: ENOSYS}
    - {names: [unshare], args: [{index: 0, op: SCMP_CMP_MASKED_EQ, value: CLONE_NEWUSER, valueTwo: CLONE_NEWUSER}]}
rules:
- name: rule
  match:
    containerdNamespace: [k8s.io]
    pod: {namespace: [ns], name: [app-*]}
    container: [main]
    image: [docker.io/*]
    kind: [Container]
    runtime: [io.containerd.batten.v2]
    capabilities: [CAP_BPF]
    mounts: [/etc]
    namespaces: [host-pid]
    annotations: {key: [value]}
  absent: two
  present: three
  floor: [one, two]
  hooks: Deny
  mode: Audit
  denials: Silent
`

// values are put in the place of each value of everything.
var values = []any{
	0, 1, 6, 4096, -1, 1.5, "", "word", "Word", "builtin", "None", "Deny", "/x", "1", true, nil,
	[]any{},
	[]any{7},
	[]any{""},
	[]any{"word"},
	[]any{nil},
	map[string]any{},
	map[string]any{"unknown": 1},
}

// Whatever is put in the place of whichever value, added or left out: the schema
// refuses what the parser refuses, and accepts what it accepts.
func TestChanges(t *testing.T) {
	s := compile(t, "policy")
	if err := parse(everything).Err(); err != nil {
		t.Fatal(err)
	}
	if keys := missing(policy.Type, tree(t)); len(keys) > 0 {
		t.Errorf("everything lacks %q", keys)
	}
	count := make(map[verdict]int)
	changes(tree(t), "", func(root func() any, what string) {
		text, err := json.Marshal(root())
		if err != nil {
			t.Fatal(err)
		}
		findings := parse(string(text))
		count[judge(findings)]++
		agree(t, what, s, text, findings)
	})
	t.Logf("accepted %d, refused for their shape %d, refused beyond it %d", count[accepts], count[refusesShape], count[refusesBeyond])
	if count[accepts] < 100 || count[refusesShape] < 1000 || count[refusesBeyond] > 150 {
		t.Errorf("these are no longer the changes that were meant: %v", count)
	}
}

func tree(t *testing.T) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(everything), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// changes calls try with each change of v; root returns the whole document.
func changes(v any, path string, try func(root func() any, what string)) {
	visit(v, path, func() any { return v }, func(any) {}, try)
}

func visit(v any, path string, root func() any, set func(any), try func(root func() any, what string)) {
	if path != "" {
		for _, value := range values {
			set(value)
			try(root, fmt.Sprintf("%s = %v", path, value))
		}
		set(v)
	}
	switch v := v.(type) {
	case map[string]any:
		v["unknown"] = 1
		try(root, path+" with an unknown key")
		delete(v, "unknown")
		for _, key := range slices.Sorted(maps.Keys(v)) {
			old := v[key]
			delete(v, key)
			try(root, path+"."+key+" left out")
			v[key] = old
			visit(old, path+"."+key, root, func(x any) { v[key] = x }, try)
		}
	case []any:
		for i, old := range v {
			visit(old, fmt.Sprintf("%s[%d]", path, i), root, func(x any) { v[i] = x }, try)
		}
	}
}

// missing returns the keys of t that do not occur in v.
func missing(t *document.Type, v any) (out []string) {
	seen := make(map[string]bool)
	collect(v, seen)
	var walk func(t *document.Type)
	walk = func(t *document.Type) {
		if t == nil {
			return
		}
		walk(t.Items)
		for _, k := range t.Keys {
			if k.Refused == "" && !seen[k.Name] {
				out = append(out, k.Name)
			}
			walk(k.Type)
		}
	}
	walk(t)
	return out
}

func collect(v any, seen map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			seen[key] = true
			collect(value, seen)
		}
	case []any:
		for _, item := range v {
			collect(item, seen)
		}
	}
}

// parse reads a policy beside which there is a profile two.json.
func parse(text string) document.Findings {
	_, findings := policy.Parse("policy.yaml", []byte(text), func(file string) (string, []byte, error) {
		if file != "two.json" {
			return file, nil, os.ErrNotExist
		}
		return file, []byte(someProfile), nil
	})
	return findings
}
