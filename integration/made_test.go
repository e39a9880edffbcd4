package integration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// madeNoVsock is a drop-in whose floor is made by from and deny.
const madeNoVsock = `version: 1
mandatoryFloors: [no-vsock]
profiles:
  no-vsock:
    from: Unconfined
    deny: [{names: [socket], errno: EAFNOSUPPORT, args: [{index: 0, op: SCMP_CMP_EQ, value: AF_VSOCK, width: 32}]}]
`

// TestMade: what from, allow and deny make is what the kernel does, by each ABI and with high bits;
// the control is the same container under the profile that they change.
func TestMade(t *testing.T) {
	n := node.Start(t, newest)
	dropIn := filepath.Join(n.Etc, "policy.d", "50-vsock.yaml")
	run := node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "getpid", "vsock", "high_vsock", "socketcall_vsock"}}
	const vsock = "[{names: [socket], args: [{index: 0, op: SCMP_CMP_EQ, value: AF_VSOCK, width: 32}]}]"
	for _, tt := range []struct{ name, policy, dropIn, want string }{
		{
			name: "the control of allow, which leaves socketcall open", policy: "version: 1\n",
			want: calls("getpid", "OK", "vsock", "EPERM", "high_vsock", "EPERM", "socketcall_vsock", "OK"),
		},
		{
			name: "allow", policy: "version: 1\nabsent: made\nprofiles: {made: {from: RuntimeDefault, allow: " + vsock + "}}\n",
			want: calls("getpid", "OK", "vsock", "OK", "high_vsock", "OK", "socketcall_vsock", "OK"),
		},
		{
			name: "deny wins over allow", policy: "version: 1\nabsent: made\nprofiles: {made: {from: RuntimeDefault, allow: [{names: [socket]}], deny: " + vsock + "}}\n",
			want: calls("getpid", "OK", "vsock", "EPERM", "high_vsock", "EPERM", "socketcall_vsock", "ENOSYS"), // no rule repeats the default
		},
		{
			name: "the control of deny", policy: "version: 1\nabsent: Unconfined\n",
			want: calls("getpid", "OK", "vsock", "OK", "high_vsock", "OK", "socketcall_vsock", "OK"),
		},
		{
			name: "deny in a drop-in", policy: "version: 1\nabsent: Unconfined\n", dropIn: madeNoVsock,
			want: calls("getpid", "OK", "vsock", "EAFNOSUPPORT", "high_vsock", "EAFNOSUPPORT", "socketcall_vsock", "EAFNOSUPPORT"),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.RemoveAll(dropIn); err != nil {
				t.Fatal(err)
			}
			if tt.dropIn != "" {
				writeFile(t, dropIn, tt.dropIn)
			}
			setPolicy(t, n, tt.policy)
			if got := n.Output(run); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}
