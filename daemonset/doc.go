// Package daemonset is what Batten's DaemonSet does on each node of a cluster: it
// puts binaries, policy and handler on the host, has containerd read its
// configuration again, and labels the node, so that pods of the RuntimeClass land
// where they can start.
//
//	image  ── binaries ──▶  /opt/batten/bin            ConfigMap ── check ──▶ /etc/batten
//	install ── handler ──▶  containerd's configuration,  then its restart, then the label
//
// A policy that does not pass the check stays where it is, and the last good one on
// the host. When the DaemonSet is deleted, all of this is taken back; when only its
// pod is, nothing is.
package daemonset
