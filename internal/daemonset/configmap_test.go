package daemonset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
)

const evil = "runtime = \"/tmp/evil\"\n"

// configMapCases are keys of a ConfigMap.
var configMapCases = []struct{ name, key, text, want string }{
	{
		name: "the settings of batten-runc", key: "runc.toml", text: evil,
		want: `key "runc.toml" is neither policy.yaml nor a profile (*.json) nor a drop-in (*.yaml): remove it; settings of the node, such as runc.toml, are not the ConfigMap's`,
	},
	{
		name: "a handler's options", key: "options.toml", text: evil,
		want: `key "options.toml" is neither`,
	},
	{
		name: "a second policy", key: "strict.yaml", text: "version: 1\nabsent: Deny\n",
		want: `key "strict.yaml" is not a drop-in: drop-in "strict.yaml":2:9: absent: a drop-in can only tighten`,
	},
	{
		name: "a drop-in that refuses each container", key: "none.yaml", text: "version: 1\nmandatoryFloors: [f]\nprofiles:\n  f: {from: Unconfined, deny: [{names: [execve]}]}\n",
		want: `key "none.yaml" would have containers refused: drop-in "none.yaml":4:6: profiles.f: cannot start a container: denies execve, `,
	},
	{
		name: "no extension", key: "policy", text: "version: 1\n",
		want: `key "policy" is neither`,
	},
	{name: "a hidden file", key: ".x.json", text: noKeys, want: `key ".x.json" is neither`},
	{
		name: "settings by a profile's name", key: "runc.json", text: evil,
		want: `key "runc.json" is not a profile: profile "runc.json":1:1: not valid JSON`,
	},
	{
		name: "JSON that is no profile", key: "runc.json", text: `{"runtime": "/tmp/evil"}`,
		want: `unknown key "runtime"`,
	},
}

// TestConfigMapKeys: only policies and profiles are taken, by name and by content.
// Whatever else the ConfigMap holds, the node's own files are as they were.
func TestConfigMapKeys(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	for _, tt := range configMapCases {
		t.Run(tt.name, func(t *testing.T) {
			a, dir, _ := agent(t)
			mount(t, dir, "0", map[string]string{"policy.yaml": "version: 1\n"})
			if err := a.policy(t.Context()); err != nil {
				t.Fatal(err)
			}
			own := a.host(filepath.Join(policyDir, tt.key))
			if err := os.WriteFile(own, []byte("the node's own"), 0o600); err != nil {
				t.Fatal(err)
			}
			mount(t, dir, "1", map[string]string{"policy.yaml": "version: 1\nabsent: Unconfined\n", tt.key: tt.text})
			if err := a.policy(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if text, _ := holds(t, a); text != "version: 1\n" {
				t.Errorf("the host's policy is\n%s", text)
			}
			// The key goes again: the node's file stays.
			mount(t, dir, "2", map[string]string{"policy.yaml": "version: 1\nabsent: Deny\n"})
			if err := a.policy(t.Context()); err != nil {
				t.Error(err)
			}
			if text, _ := holds(t, a); text != "version: 1\nabsent: Deny\n" {
				t.Errorf("without the key the host's policy is\n%s", text)
			}
			if data, err := os.ReadFile(own); string(data) != "the node's own" {
				t.Errorf("the node's own file is %q (%v)", data, err)
			}
		})
	}
}

// TestConfigMapPolicy: a ConfigMap's policy names no file of the node, neither to
// read nor to write.
func TestConfigMapPolicy(t *testing.T) {
	for _, tt := range []struct{ name, policy, want string }{
		{
			name:   "a profile of the node's",
			policy: "version: 1\nprofiles: {x: {file: /etc/shadow}}\nabsent: x\n",
			want:   `policy "/etc/batten/policy.yaml":2:22: profiles.x.file: profile "/etc/shadow" is not a key of the ConfigMap; add it there, and name it without a directory`,
		},
		{
			name:   "a profile by another way",
			policy: "version: 1\nprofiles: {x: {file: ../../root/x.json}}\nabsent: x\n",
			want:   `profile "../../root/x.json" is not a key of the ConfigMap`,
		},
		{
			name:   "the policy itself",
			policy: "version: 1\nprofiles: {x: {file: policy.yaml}}\nabsent: x\n",
			want:   `profile "policy.yaml" is not a key of the ConfigMap`,
		},
		{
			name: "a log that cron runs", policy: "version: 1\nlog: /etc/cron.d/batten\n",
			want: `policy "/etc/batten/policy.yaml": log: "/etc/cron.d/batten" is not /var/log/batten*; root appends to it, and a ConfigMap's policy may name no other file of the node`,
		},
		{
			name:   "a log by another way",
			policy: "version: 1\nlog: /var/log/batten/../../../etc/profile.d/x.sh\n",
			want:   `is not /var/log/batten*`,
		},
		{name: "a log of Batten's", policy: "version: 1\nlog: /var/log/batten/decisions.jsonl\n"},
	} {
		err := checkKeys(map[string][]byte{"policy.yaml": []byte(tt.policy)})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}
