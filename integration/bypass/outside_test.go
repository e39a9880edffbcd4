package bypass

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const (
	notTheFiles     = `refused: it asks for no seccomp filter, and rule "the node's files that decide over containers" says absent: Deny`
	notTheProcesses = `refused: it asks for no seccomp filter, and rule "the node's processes, with the right to trace them" says absent: Deny`
)

// toStack is a command that writes to the stack of a process.
const toStack = `at=$(/bin/busybox grep stack /proc/PID/maps | /bin/busybox cut -d- -f1)
printf x | /bin/busybox dd of=/proc/PID/mem bs=1 seek=$((0x$at)) conv=notrunc 2>&1 >/dev/null | /bin/busybox grep -q "1+0 records out" && echo memory: OK`

var outsideRows = []row{
	{
		name: "a mount of the policy's directory", try: mounting("/etc/batten"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of it, read-only", try: mounting("/etc/batten", "ro"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of a directory above", try: mounting("/etc"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of the node's root", try: mounting("/"), stock: "OK", batten: notTheFiles,
		end: stopped,
	},
	{
		name: "a mount of the policy itself", try: mounting("/etc/batten/policy.yaml"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount by detours", try: mounting("/usr/..//etc/./batten/"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount through a link", try: mounting("LINK"), stock: "OK", batten: notTheFiles,
		end: stopped,
	},
	{
		name: "a mount of another mount of it", try: mounting("BIND"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount above another mount of it", try: mounting("ABOVE"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of the records", try: mounting("/run/batten"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of containerd's socket", try: mounting("/run/containerd"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a call in a process of the same user",
		try:  injecting(oci.WithHostNamespace(specs.PIDNamespace)), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "the same by the namespace's path", try: injecting(joined(specs.PIDNamespace, "pid")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "the memory of a process of the same user",
		try:   besideUser([]string{"/bin/sh", "-c", toStack}, oci.WithHostNamespace(specs.PIDNamespace)),
		stock: "OK", batten: "OK", end: limit,
		why: "`/proc/PID/mem` and `/proc/PID/root` of processes that run as the same user",
	},
	{
		name: "a file of root's that the policy does not list", try: mounting("/root"), stock: "OK",
		batten: "OK", end: limit,
		why: "It lists no other file by which a container becomes root on the node",
	},
	{
		name: "the node's processes, privileged",
		try:  underShipped("node-files", calls("getpid", nodesOwn()...)), stock: "OK",
		batten: notTheProcesses, end: stopped,
	},
	{
		name:  "the node's processes by a path, privileged",
		try:   underShipped("node-files", calls("getpid", oci.WithPrivileged, joined(specs.PIDNamespace, "pid"))),
		stock: "OK", batten: notTheProcesses, end: stopped,
	},
	{
		name: "a hook before the start", try: hookKind("prestart"), stock: "OK",
		batten: "refused: it brings the hook prestart /", end: stopped,
	},
	{
		name: "a hook before pivot_root", try: hookKind("createRuntime"), stock: "OK",
		batten: "refused: it brings the hook createRuntime /", end: stopped,
	},
	{
		name: "a hook after the start", try: hookKind("poststart"), stock: "OK",
		batten: "refused: it brings the hook poststart /", end: stopped,
	},
	{
		name: "a hook at the end", try: hookKind("poststop"), stock: "OK",
		batten: "refused: it brings the hook poststop /", end: stopped,
	},
	{
		name: "a hook that runs another container, denied",
		try:  under("version: 1\nhooks: Deny\n", nestedHook), stock: "OK",
		batten: "refused: it brings the hook createRuntime /", end: stopped,
	},
}

func TestOutside(t *testing.T) { try(t, outsideRows) }

// TestOutsideAllowed: beside what is stopped, the same policies let through what
// they do not speak of.
func TestOutsideAllowed(t *testing.T) {
	n := node.Start(t, engine)
	for _, tt := range []struct {
		name, policy string
		call         string
		spec         []oci.SpecOpts
		want         string
	}{
		{name: "nothing of the node's", policy: "node-files", call: "getpid", want: "OK"},
		{name: "a mount of something else", policy: "node-files", call: "getpid", spec: []oci.SpecOpts{withMount("/usr/share", "/host")}, want: "OK"},
		{name: "a mount beside", policy: "node-files", call: "getpid", spec: []oci.SpecOpts{withMount("/etc/hostname", "/host", "ro")}, want: "OK"},
		{name: "the node's processes", policy: "node-files", call: "getpid", spec: []oci.SpecOpts{oci.WithHostNamespace(specs.PIDNamespace)}, want: "OK"},
		{name: "privileged, with processes of its own", policy: "node-files", call: "getpid", spec: []oci.SpecOpts{oci.WithPrivileged}, want: "OK"},
		{name: "a 64-bit socket", policy: "no-socketcall", call: "unix", want: "OK"},
		{name: "an i386 socket", policy: "no-socketcall", call: "i386_unix", want: "OK"},
		{name: "an i386 socket of a denied family", policy: "no-socketcall", call: "i386_vsock", want: "EPERM"},
		{name: "a socket by socketcall", policy: "no-socketcall", call: "socketcall_unix", want: "ENOSYS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n.In(t)
			for _, batten := range []bool{false, true} {
				a := &attempt{Node: n, t: t, batten: batten}
				a.shipped(tt.policy)
				want := "OK"
				if batten {
					want = tt.want
				}
				if got := calls(tt.call, tt.spec...)(a); got != want {
					t.Errorf("under %s: %s, want %s", a.runtime(), got, want)
				}
				a.undoAll()
			}
		})
	}
	t.Run("hooks that are recorded", func(t *testing.T) {
		n.In(t)
		a := &attempt{Node: n, t: t, batten: true}
		defer a.undoAll()
		a.policy("version: 1\nhooks: Record\n")
		ran := filepath.Join(n.Dir, "ran")
		edit := a.hook("createRuntime", "touch "+ran)
		records := ""
		came := a.exec(node.Run{Edit: func(s []byte) []byte { return []byte(edit(string(s))) }}, func(*node.Created) {
			out, err := a.Command("batten", "records", "--json").CombinedOutput()
			a.must(err)
			records = string(out)
		})
		if _, err := os.Stat(ran); err != nil || came != "EPERM" {
			t.Errorf("%s, and the hook: %v", came, err)
		}
		if !strings.Contains(records, `"kind": "createRuntime"`) || !strings.Contains(records, `"path": "`+filepath.Join(n.Dir, "hook")+`"`) {
			t.Errorf("the records are %s", records)
		}
	})
}
