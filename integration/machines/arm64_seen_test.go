package machines

import "testing"

// TestArm64Seen sees, counts and records on arm64 what containers do: denials by the listener, calls by
// eBPF, and a container starts under what was recorded of it.
func TestArm64Seen(t *testing.T) {
	files := arm64Files(t)
	files["netfilter.yaml"] = read(t, "../../deploy/policies/blocks/netfilter.yaml")
	play(t, debian12arm64(t, everything), ofSeen, files)
}

const (
	// works is what containers do: one call that RuntimeDefault denies, and others that it does not.
	works = `/bin/busybox sh -c '/bin/busybox unshare -m /bin/busybox true; /bin/busybox ls /bin >/dev/null; /bin/busybox echo done; exec /bin/busybox sleep `
	// under sets the node's policy.
	under = `mkdir -p /etc/batten; printf '%b' "$1" >/etc/batten/policy.yaml; batten check`
	// inTime waits until a container has done it, and the shim has written what it counted.
	inTime = `until grep -q done /run/$name.log; do sleep 0.2; done; for n in $(seq 30); do batten denials $name | grep -q CALL && break; sleep 1; done; cat /run/$name.log`
	socket = "ctr -n k8s.io run --rm --runtime io.containerd.batten.v2 example.org/busybox:1 "
	named  = `ctr -n k8s.io run -d --log-uri file:///run/$name.log --runtime io.containerd.batten.v2 example.org/busybox:1 $name `
)

// ofSeen are the steps.
var ofSeen = []step{
	{command: `set -- 'version: 1\nmode: Audit\n'; ` + under, says: []string{"fine"}},
	{command: "name=audited; " + named + works + "100000'; " + inTime},
	{command: "batten denials", says: []string{"audited", "unshare"}},
	{command: "batten suggest", says: []string{"unshare"}},
	{command: `set -- 'version: 1\ndenials: Count\n'; ` + under, says: []string{"fine"}},
	{command: "name=counted; " + named + works + "100000'; " + inTime},
	{command: "batten denials counted", says: []string{"counted", "unshare"}},
	{
		command: "batten record --id recorded --until end --to /etc/batten/recorded.json >/run/record.said 2>&1 & sleep 8; name=recorded; " + named + works + "3'; wait; cat /run/record.said",
		says:    []string{"recorded from its first instruction", "ended", "proved"}, never: "lost",
	},
	{command: `set -- 'version: 1\ndenials: Count\nabsent: own\nprofiles:\n  own: {file: recorded.json}\n'; ` + under, says: []string{"fine"}},
	{command: "name=own; " + named + works + "100000'; " + inTime, says: []string{"done"}},
	{command: "batten denials own", says: []string{"unshare"}, never: "openat"},
	{command: "batten records", says: []string{"own"}},
	// A drop-in with a rule on a call that arm64 does not have, alone on a container.
	{command: "mkdir -p /etc/batten/policy.d; cp /run/in/netfilter.yaml /etc/batten/policy.d/; " + `set -- 'version: 1\nabsent: Unconfined\n'; ` + under, says: []string{"fine"}},
	{command: socket + "netlink /bin/probe 16 3 12; " + socket + "other /bin/probe 16 3 0", says: []string{"socket: operation not permitted", "socket: <nil>"}},
	{command: "batten block --running --name no-netfilter 'socket(AF_NETLINK, *, 12)'", says: []string{"closed while it runs: k8s.io/audited", "all proved to be closed"}},
	// One of ten times this emulator runs the program at each call only when it is attached again.
	{command: "for i in $(seq 12); do batten record --to /root/true.json -- /bin/true || exit 1; done; batten replay /root/true.json -- /bin/true", never: "lost"},
}
