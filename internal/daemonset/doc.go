// Package daemonset does what Batten's DaemonSet does on each node of a cluster: it puts
// binaries, policy and handler on the host, restarts containerd so that it reads its
// configuration, and labels the node, so that pods of the RuntimeClass are scheduled where
// they can start.
//
//	image  ── binaries ──▶  /opt/batten/bin     ConfigMap ── check ──▶ /etc/batten/configmap
//	install ── handler ──▶  containerd's configuration,  then its restart, then the label
//
// Call [Enter] and then [Agent.Run].
//
// /etc/batten/policy.yaml is a link to the ConfigMap's policy, and /etc/batten/policy.d/configmap-*
// are its drop-ins. All other files in /etc/batten belong to the node: the DaemonSet neither writes nor removes them, whatever keys the
// ConfigMap has. If a policy does not pass the check, the host keeps the last good one. When
// the DaemonSet is deleted, it takes all this off the host; when only its pod is deleted,
// everything stays.
package daemonset
