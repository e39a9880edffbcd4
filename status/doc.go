// Package status answers whether a node is safe: what its engines' handlers come
// to, and what the kernel says of each container that runs.
//
//	/proc ──Processes──▶ Containers ◀── records
//	                        │  Judge, by the policy
//	                        ▼
//	                     verdict of each
//
// No daemon is asked. A container is what a shim or conmon is the parent of;
// which it is, is told by its cgroup and by the bundle beside the shim's.
package status
