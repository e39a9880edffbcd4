package main

import (
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/integration/node"
)

// block shows how a call is closed to every container, and what still runs open.
func (d *demo) block(n *node.Node) {
	step(7, "A kernel bug: sockets of the family AF_VSOCK must be closed at once, to containers that the\npolicy leaves without a filter, too.")
	d.writePolicy(n, "version: 1\nabsent: Unconfined\n")
	older, id, said := d.vsock(n, "before")
	d.promise("before the block", said, "vsock: OK")
	show("a container that runs already:  " + said)
	show("$ batten block 'socket(AF_VSOCK)'\n" + d.batten(n, "2 containers of 2 not proved to be closed", "block", "socket(AF_VSOCK)"))
	newer, _, said := d.vsock(n, "after")
	d.promise("after the block", said, "vsock: EPERM")
	show("a container that starts now:    " + said)
	fmt.Println("   The older one need not be restarted: each of its processes is given the filter while it runs.")
	show("$ batten block --running --pod shop/before 'socket(AF_VSOCK)'\n" + d.batten(n, "2 containers, all proved to be closed", "block", "--running", "--pod", "shop/before", "socket(AF_VSOCK)"))
	said, err := older.Exec(id, "/probe", "call", "vsock")
	if err != nil {
		d.Fatal(err)
	}
	d.promise("in the container that ran before the block", said, "vsock: EPERM")
	show("a program in the older one:     " + strings.TrimSpace(said))
	fmt.Println("   Is anything left? Then back again:")
	show("$ batten block 'socket(AF_VSOCK)'\n" + d.batten(n, "4 containers, all proved to be closed", "block", "socket(AF_VSOCK)"))
	older.Remove()
	show("$ batten unblock block-socket-af-vsock\n" + d.batten(n, "removed", "unblock", "block-socket-af-vsock"))
	newer.Remove()
}

// vsock starts a pod whose container has no filter of its own, and returns what its program says
// of the call.
func (d *demo) vsock(n *node.Node, name string) (pod *node.Pod, id, said string) {
	pod, err := n.RunPod("", "shop", name, nil)
	if err != nil {
		d.Fatal(err)
	}
	id, err = pod.Run("main", nil)
	if err != nil {
		d.Fatal(err)
	}
	said, err = pod.Exec(id, "/probe", "call", "vsock")
	if err != nil {
		d.Fatal(err)
	}
	return pod, id, strings.TrimSpace(said)
}

// batten runs a command that must say want.
func (d *demo) batten(n *node.Node, want string, args ...string) string {
	out, err := n.Command(append([]string{"batten"}, args...)...).CombinedOutput()
	if err != nil {
		d.Errorf("batten %q: %v", args, err)
	}
	d.promise("batten "+args[0], string(out), want)
	return string(out)
}
