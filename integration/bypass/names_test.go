package bypass

import (
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestNames(t *testing.T) { try(t, nameRows) }

// The runtimes here link libseccomp 2.5.4, which does not know setxattrat(2), and
// skip rules on it; the kernel has it.
var nameRows = []row{
	{
		name:  "a call that the policy's profile denies and runc skips",
		try:   under("version: 1\nabsent: no-xattr\npresent: no-xattr\n"+noXattr, setxattrat),
		stock: "OK", batten: `refused: policy "/etc/batten/policy.yaml": profile "no-xattr" denies setxattrat, but`, end: stopped,
	},
	{
		name:  "the same on runc 1.1",
		try:   under("version: 1\nabsent: no-xattr\npresent: no-xattr\n"+noXattr, onOldRunc(setxattrat)),
		stock: "OK", batten: `refused: debian/usr/sbin/runc with libseccomp 2.5.4 skips rules on names that it does not know`, end: stopped,
	},
	{
		name:  "the same on crun",
		try:   under("version: 1\nabsent: no-xattr\npresent: no-xattr\n"+noXattr, onCrun(setxattrat)),
		stock: "OK", batten: `refused: profile "no-xattr" denies setxattrat`, end: stopped,
	},
	{
		name:  "a call that the floor denies and runc skips",
		try:   under("version: 1\nabsent: Unconfined\nfloor: no-xattr\n"+noXattr, setxattrat),
		stock: "OK", batten: `refused: floor "no-xattr" denies setxattrat, but`, end: stopped,
	},
	{
		name:  "the same by batten-runc",
		try:   under("version: 1\nfloor: no-xattr\n"+noXattr, byWrapper(setxattrat)),
		stock: "OK", batten: `refused: floor "no-xattr" denies setxattrat, but`, end: stopped,
	},
	{
		name:  "a call that the floor denies, under a profile that denies by default",
		try:   under("version: 1\nabsent: RuntimeDefault\npresent: RuntimeDefault\nfloor: no-xattr\n"+noXattr, setxattrat),
		stock: "OK", batten: "ENOSYS", end: stopped,
	},
	{
		name:  "an older call that the same profile denies",
		try:   under("version: 1\nabsent: no-keys\n"+noKeys, calls("keyctl")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "a call that the floor notifies of, with a supervisor of the container's own",
		try:   under("version: 1\nfloor: asks\n"+nodeListens, notified),
		stock: "OK", batten: "ENOSYS", end: stopped,
	},
	{
		name: "a call that no floor notifies of, with the same supervisor",
		try:  notified, stock: "OK", batten: "OK", end: limit, why: "What a container's own supervisor answers",
	},
	{
		name: "a call that only the container's own profile denies and runc skips",
		try:  setxattrat, stock: "OK", batten: "OK", end: limit, why: "A rule of a container's own profile that the runtime skips",
	},
}

const (
	noXattr = "profiles: {no-xattr: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [setxattr, lsetxattr, fsetxattr, setxattrat], action: SCMP_ACT_ERRNO}]}}}\n"
	noKeys  = "profiles: {no-keys: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}}\n"
)

// setxattrat runs a container that makes the call and brings a profile that denies it.
func setxattrat(a *attempt) string {
	return calls("setxattrat", node.WithOldSpec, node.WithSeccomp(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"setxattr", "setxattrat"}, Action: specs.ActErrno}},
	}))(a)
}

// onOldRunc has Debian's runc 1.1 make the container.
func onOldRunc(try func(*attempt) string) func(*attempt) string {
	return func(a *attempt) string {
		a.options = &options.Options{BinaryName: filepath.Join(node.Cache(), "debian/usr/sbin/runc")}
		return try(a)
	}
}

// byWrapper has the stock shim call batten-runc in place of runc, on Batten's side.
func byWrapper(try func(*attempt) string) func(*attempt) string {
	return func(a *attempt) string {
		a.options = a.wrapper()
		return try(a)
	}
}
