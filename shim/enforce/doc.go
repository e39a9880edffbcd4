// Package enforce holds one container to the node policy: it reads the
// bundle's spec, decides, rewrites linux.seccomp, keeps a record, and looks in
// /proc that the kernel filters the process that came of it.
//
//	Enforcer.Prepare  before the runtime: spec, policy, record, rewrite; or a Refusal
//	Enforcer.Created  the runtime has made the process: Running
//	Running.Started   after start: Seccomp: 2, or the caller kills it; so does Exec
//	Running.Gone      the container is deleted, and its record with it
//
// It knows neither containerd nor a command line; the shim and batten-runc
// join it to theirs. Records are JSON files below a directory of root's, one a
// container.
package enforce
