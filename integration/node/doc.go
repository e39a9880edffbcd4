// Package node starts private containerd nodes for tests, demo and benchmarks:
// a real daemon, real runc containers, in a mount namespace of its own.
//
//	host                         node's mount namespace
//	  Dir/etc      ── bind ──▶   /etc/batten
//	  Dir/c.sock   ◀─ daemon     /run (a tmpfs: shims, bundles, records)
//
// So the paths that users have are the paths that are tested, and nothing of
// the machine's is touched. A node ends with its test, and fails it if a
// process, mount, cgroup or record of a container is left.
package node
