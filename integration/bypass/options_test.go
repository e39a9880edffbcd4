package bypass

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	runtimespec "github.com/opencontainers/runtime-spec/specs-go/features"
)

// binary has the runtime be another file, in the form that both shims take.
func binary(path string) *options.Options { return &options.Options{BinaryName: path} }

// script makes a runtime that is a shell's text.
func (a *attempt) script(text string) string {
	path := filepath.Join(a.Dir, "script-runc")
	a.write(path, "#!/bin/sh\n"+text+"\n")
	a.must(os.Chmod(path, 0o755))
	return path
}

// optioned gives the runtime options.
func optioned(opts func(a *attempt) any) func(*attempt) string {
	return func(a *attempt) string { return a.run(node.Run{Options: opts(a)}) }
}

// file has options in a file, where the stock shim has them typed.
func file(change func(a *attempt, path string) error) func(*attempt) string {
	return func(a *attempt) string {
		if !a.batten {
			return a.run(node.Run{Options: &options.Options{NoNewKeyring: true}})
		}
		path := filepath.Join(a.Dir, "options.toml")
		a.write(path, "NoNewKeyring = true\n")
		a.later(func() { _ = os.Remove(path) })
		a.must(change(a, path))
		return a.run(node.Run{Options: &runtimeoptions.Options{ConfigPath: path}})
	}
}

var optionRows = []row{
	{"the runtime is a script that hands on", optioned(func(a *attempt) any { return binary(a.script(`exec runc "$@"`)) }), "OK", "EPERM", stopped, ""},
	{"the runtime is a script that turns to another bundle", func(a *attempt) string {
		inner := a.bundle("other")
		path := a.script(fmt.Sprintf(`case "$*" in *create*) cp -r %s/rootfs/. "$PWD/rootfs/"; sed 's,"/probe"\,"call","/probe"\,"sleep"\,"1"\,"call",' %s/config.json >config.json;; esac
exec runc "$@"`, inner, inner))
		return a.run(node.Run{Options: binary(path)})
	}, "OK", "killed", stopped, ""},
	{"the runtime is missing", optioned(func(*attempt) any { return binary("/nowhere/runc") }), "refused: ", "refused: ", harmless, "nothing is there to start it"},
	{"the runtime's state is elsewhere", optioned(func(*attempt) any { return &options.Options{Root: "/run/elsewhere"} }), "OK", "EPERM", stopped, ""},
	{"no pivot_root, no keyring", optioned(func(*attempt) any { return &options.Options{NoPivotRoot: true, NoNewKeyring: true} }), "OK", "EPERM", stopped, ""},
	{"options of another type", optioned(func(*attempt) any { return &runtimespec.Features{} }), "refused: ", "refused: ", harmless, "no shim knows them"},
	{"an option that there is not", func(a *attempt) string {
		if !a.batten {
			return a.run(node.Run{})
		}
		return a.run(node.Run{Options: &runtimeoptions.Options{ConfigBody: []byte("Policies = \"/x\"\n")}})
	}, "OK", "refused: unknown option Policies", stopped, ""},
	{"one option in two spellings", func(a *attempt) string {
		if !a.batten {
			return a.run(node.Run{})
		}
		return a.run(node.Run{Options: &runtimeoptions.Options{ConfigBody: []byte("Policy = \"/etc/batten/policy.yaml\"\npolicy = \"/etc/batten/loose.yaml\"\n")}})
	}, "OK", "refused: options Policy and policy are one", stopped, ""},
	{"a file of options that anybody may write", file(func(_ *attempt, path string) error { return os.Chmod(path, 0o666) }), "OK", "refused: others than root can change it", stopped, ""},
	{"a file of options of somebody's", file(func(_ *attempt, path string) error { return os.Chown(path, 1000, 1000) }), "OK", "refused: is owned by user 1000", stopped, ""},
	{"a file of options that is a FIFO", file(func(_ *attempt, path string) error {
		return replace(path, func() error { return syscall.Mkfifo(path, 0o600) })
	}), "OK", "refused: is not a regular file", stopped, ""},
	{"a file of options that somebody puts in the place of root's", file(func(a *attempt, path string) error {
		a.write(filepath.Join(a.Etc, "loose.yaml"), "version: 1\nabsent: Unconfined\n")
		loose := path + ".loose"
		a.write(loose, "Policy = \"/etc/batten/loose.yaml\"\n")
		a.must(os.Chown(loose, 1000, 0))
		return os.Rename(loose, path)
	}), "OK", "refused: is owned by user 1000", stopped, ""},
	{"a looser policy, by who speaks to the socket", func(a *attempt) string {
		if !a.batten {
			return a.run(node.Run{})
		}
		a.write(filepath.Join(a.Etc, "loose.yaml"), "version: 1\nabsent: Unconfined\n")
		return a.run(node.Run{Options: &runtimeoptions.Options{ConfigBody: []byte("Policy = \"/etc/batten/loose.yaml\"\n")}})
	}, "OK", "OK", limit, "who can write to containerd's socket"},
	{"another runtime, by who speaks to the socket", func(a *attempt) string {
		a.batten = false
		return a.run(node.Run{})
	}, "OK", "OK", limit, "A runtime handler that does not name Batten's shim"},
}
