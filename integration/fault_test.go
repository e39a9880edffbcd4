package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// TestBrokenPolicy: each fault refuses every new container with what to mend,
// leaves running ones alone, and is over with its repair.
func TestBrokenPolicy(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		const good = "version: 1\nprofiles: {a: {file: a.json}}\nabsent: a\n"
		const goodProfile = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}`
		path, profile := filepath.Join(n.Etc, "policy.yaml"), filepath.Join(n.Etc, "a.json")
		writeFile(t, profile, goodProfile)
		setPolicy(t, n, good)
		running, err := n.Start(node.Run{Runtime: node.Batten})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name   string
			spoil  func() error
			refuse string
		}{
			{
				name:   "a directory",
				spoil:  func() error { return replace(path, func() error { return os.Mkdir(path, 0o755) }) },
				refuse: `policy "/etc/batten/policy.yaml": is not a regular file`,
			},
			{
				name:   "a link to nothing",
				spoil:  func() error { return replace(path, func() error { return os.Symlink("/nowhere", path) }) },
				refuse: `policy "/etc/batten/policy.yaml": is a symbolic link to nothing`,
			},
			{
				name: "wrong owner", spoil: func() error { return os.Chown(path, 1000, 0) },
				refuse: `policy "/etc/batten/policy.yaml": is owned by user 1000; it decides what containers may do: chown root /etc/batten/policy.yaml`,
			},
			{
				name: "wrong mode", spoil: func() error { return os.Chmod(path, 0o666) },
				refuse: `policy "/etc/batten/policy.yaml": has mode 0666; others than root can change it: chmod go-w /etc/batten/policy.yaml`,
			},
			{
				name:   "wrong mode of the directory",
				spoil:  func() error { return os.Chmod(n.Etc, 0o777) },
				refuse: `policy "/etc/batten/policy.yaml": directory "/etc/batten": has mode 0777; others than root can change it: chmod go-w /etc/batten`,
			},
			{
				name:   "bad YAML",
				spoil:  func() error { return os.WriteFile(path, []byte("version: 1\nabsent: [\n"), 0o644) },
				refuse: `policy "/etc/batten/policy.yaml":2:1: not valid YAML: did not find expected node content`,
			},
			{
				name:   "unknown profile",
				spoil:  func() error { return os.WriteFile(path, []byte("version: 1\nabsent: strct\n"), 0o644) },
				refuse: `policy "/etc/batten/policy.yaml":2:9: absent: unknown profile "strct", want RuntimeDefault, Unconfined, Deny or the name of a profile`,
			},
			{
				name:   "unknown key",
				spoil:  func() error { return os.WriteFile(path, []byte("version: 1\nabsnet: Deny\n"), 0o644) },
				refuse: `policy "/etc/batten/policy.yaml":2:1: unknown key "absnet"; did you mean "absent"?`,
			},
			{
				name: "empty file", spoil: func() error { return os.WriteFile(path, nil, 0o644) },
				refuse: `policy "/etc/batten/policy.yaml": the file is empty, or has only comments; remove it, or write at least "version: 1"`,
			},
			{
				name: "profile missing", spoil: func() error { return os.Remove(profile) },
				refuse: `policy "/etc/batten/policy.yaml":2:22: profiles.a.file: profile "/etc/batten/a.json": no such file or directory`,
			},
			{
				name:   "profile broken",
				spoil:  func() error { return os.WriteFile(profile, []byte("{]"), 0o644) },
				refuse: `profile "/etc/batten/a.json":1:2: not valid JSON at byte 2: invalid character ']' looking for beginning of object key string`,
			},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if err := tt.spoil(); err != nil {
					t.Fatal(err)
				}
				c, err := n.Create(node.Run{Runtime: node.Batten})
				wantError(t, tt.name, err, "batten: container refused: "+tt.refuse)
				c.Remove()
				// Stock containers start, and the running one runs on.
				if got := n.Output(node.Run{Runtime: node.Stock, Args: []string{"/probe", "call", "getpid"}}); got != "getpid: OK\n" {
					t.Errorf("the stock shim: %q", got)
				}
				if out, err := running.Exec("/probe", "call", "getpid", "keyctl"); out != "getpid: OK\nkeyctl: EPERM\n" {
					t.Errorf("the running container: %q (%v)", out, err)
				}
				repair(t, n, path, profile, good, goodProfile)
				if got := n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "getpid", "keyctl"}}); got != "getpid: OK\nkeyctl: EPERM\n" {
					t.Errorf("after the repair: %q", got)
				}
			})
		}
	})
}

// replace puts something else in the place of a file.
func replace(path string, put func() error) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return put()
}

func repair(t *testing.T, n *node.Node, path, profile, policyText, profileText string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, policyText)
	writeFile(t, profile, profileText)
	if err := os.Chmod(n.Etc, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestUnstartableProfile: the usual first attempt, four calls, as users write
// it. The error says why and what is missing.
func TestUnstartableProfile(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		setPolicy(t, n, "version: 1\n")
		four := profileFixture(t, "restricted-seccomp.json")
		c, err := n.Start(node.Run{Runtime: node.Stock, Args: []string{"/probe", "call", "getpid"}, Spec: withProfile(four)})
		if err == nil {
			exit, err := c.WaitExit()
			if err != nil || exit == 0 {
				t.Errorf("the stock shim starts it: exit status %d (%v)", exit, err)
			}
		}
		c.Remove()
		c, err = n.Create(node.Run{Runtime: node.Batten, Spec: withProfile(four)})
		wantError(t, "four calls", err, "its seccomp profile cannot start any container: it denies close, execve,", "which the runtime needs after the filter is in place; add them, or ask for RuntimeDefault")
		c.Remove()

		// One call too few for runc, but not hopeless: runc's own error, and
		// what is probably behind it.
		nearly := strings.Replace(profileFixture(t, "starts.json"), `"capset",`, "", 1)
		c, err = n.Create(node.Run{Runtime: node.Batten, Spec: append(withProfile(nearly), oci.WithNewPrivileges)})
		wantError(t, "without capset", err, "operation not permitted", "batten: the container's seccomp profile denies capset, which runc may need after the filter is in place")
		c.Remove()
		if got := n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "getpid"}, Spec: append(withProfile(profileFixture(t, "starts.json")), oci.WithNewPrivileges)}); got != "getpid: OK\n" {
			t.Errorf("with capset: %q", got)
		}
	})
}

// droppingRuntime is a runtime in front of runc that takes linux.seccomp out of the
// bundle again.
func droppingRuntime(t *testing.T, n *node.Node) string {
	path := filepath.Join(n.Dir, "dropping-runc")
	writeFile(t, path, `#!/bin/sh
for a in "$@"; do case $prev in --bundle) bundle=$a;; esac; prev=$a; done
[ -n "$bundle" ] && sed -i 's/"seccomp":/"sandcomp":/' "$bundle/config.json"
exec runc "$@"
`)
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestUnfilteredIsKilled: a runtime that drops the filter, by mistake or not,
// is found out in /proc.
func TestUnfilteredIsKilled(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		wrapper := droppingRuntime(t, n)
		for _, tt := range []struct {
			name, policy string
			lives        bool
		}{
			{name: "required", policy: "version: 1\n"},
			{name: "not required", policy: "version: 1\nabsent: Unconfined\n", lives: true},
		} {
			setPolicy(t, n, tt.policy)
			c, err := n.Start(node.Run{Runtime: node.Batten, Options: tomlOptions(`BinaryName = "` + wrapper + `"`)})
			if err != nil {
				t.Fatal(err)
			}
			if tt.lives {
				n.WaitForExec(c)
				wantSeccomp(t, tt.name, c, "0", "0")
			} else if exit, err := c.WaitExit(); exit != 137 || err != nil {
				t.Errorf("%s: exit status %d (%v), want 137", tt.name, exit, err)
			}
			c.Remove()
		}
		if !strings.Contains(n.Log(), "killing the container: it runs without the filter that the policy demands: process ") {
			t.Error("the log does not say why")
		}
	})
}
