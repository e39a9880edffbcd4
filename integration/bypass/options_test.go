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
	{
		name:  "the runtime is a script that hands on",
		try:   optioned(func(a *attempt) any { return binary(a.script(`exec runc "$@"`)) }),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{name: "the runtime is a script that turns to another bundle", try: func(a *attempt) string {
		inner := a.bundle("other")
		path := a.script(fmt.Sprintf(`case "$*" in *create*) cp -r %s/rootfs/. "$PWD/rootfs/"; sed 's,"/probe"\,"call","/probe"\,"sleep"\,"1"\,"call",' %s/config.json >config.json;; esac
exec runc "$@"`, inner, inner))
		return a.run(node.Run{Options: binary(path)})
	}, stock: "OK", batten: "killed", end: stopped, why: ""},
	{
		name: "the runtime is missing",
		try:  optioned(func(*attempt) any { return binary("/nowhere/runc") }), stock: "refused: ",
		batten: "refused: ", end: harmless, why: "nothing is there to start it",
	},
	{
		name:  "the runtime's state is elsewhere",
		try:   optioned(func(*attempt) any { return &options.Options{Root: "/run/elsewhere"} }),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "no pivot_root, no keyring",
		try:   optioned(func(*attempt) any { return &options.Options{NoPivotRoot: true, NoNewKeyring: true} }),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "options of another type",
		try:  optioned(func(*attempt) any { return &runtimespec.Features{} }), stock: "refused: ",
		batten: "refused: ", end: harmless, why: "no shim knows them",
	},
	{name: "an option that there is not", try: func(a *attempt) string {
		if !a.batten {
			return a.run(node.Run{})
		}
		return a.run(node.Run{Options: &runtimeoptions.Options{ConfigBody: []byte("Policies = \"/x\"\n")}})
	}, stock: "OK", batten: "refused: unknown option Policies", end: stopped, why: ""},
	{name: "one option in two spellings", try: func(a *attempt) string {
		if !a.batten {
			return a.run(node.Run{})
		}
		return a.run(node.Run{Options: &runtimeoptions.Options{ConfigBody: []byte("Policy = \"/etc/batten/policy.yaml\"\npolicy = \"/etc/batten/loose.yaml\"\n")}})
	}, stock: "OK", batten: "refused: options Policy and policy are one", end: stopped, why: ""},
	{
		name:  "a file of options that anybody may write",
		try:   file(func(_ *attempt, path string) error { return os.Chmod(path, 0o666) }),
		stock: "OK", batten: "refused: others than root can change it", end: stopped,
	},
	{
		name:  "a file of options of somebody's",
		try:   file(func(_ *attempt, path string) error { return os.Chown(path, 1000, 1000) }),
		stock: "OK", batten: "refused: is owned by user 1000", end: stopped,
	},
	{name: "a file of options that is a FIFO", try: file(func(_ *attempt, path string) error {
		return replace(path, func() error { return syscall.Mkfifo(path, 0o600) })
	}), stock: "OK", batten: "refused: is not a regular file", end: stopped, why: ""},
	{name: "a file of options that somebody puts in the place of root's", try: file(func(a *attempt, path string) error {
		a.write(filepath.Join(a.Etc, "loose.yaml"), "version: 1\nabsent: Unconfined\n")
		loose := path + ".loose"
		a.write(loose, "Policy = \"/etc/batten/loose.yaml\"\n")
		a.must(os.Chown(loose, 1000, 0))
		return os.Rename(loose, path)
	}), stock: "OK", batten: "refused: is owned by user 1000", end: stopped, why: ""},
	{name: "a looser policy, by who speaks to the socket", try: func(a *attempt) string {
		if !a.batten {
			return a.run(node.Run{})
		}
		a.write(filepath.Join(a.Etc, "loose.yaml"), "version: 1\nabsent: Unconfined\n")
		return a.run(node.Run{Options: &runtimeoptions.Options{ConfigBody: []byte("Policy = \"/etc/batten/loose.yaml\"\n")}})
	}, stock: "OK", batten: "OK", end: limit, why: "who can write to containerd's socket"},
	{name: "another runtime, by who speaks to the socket", try: func(a *attempt) string {
		a.batten = false
		return a.run(node.Run{})
	}, stock: "OK", batten: "OK", end: limit, why: "A runtime handler that does not name Batten's shim"},
}
