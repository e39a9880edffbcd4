// Package enforce holds one container to the node policy. Before the runtime it reads the
// bundle's spec, decides, keeps a record and rewrites linux.seccomp. Afterwards it checks in
// /proc that the kernel filters the process, and compares the filter with the profile
// (compare.go).
//
//	Enforcer.Prepare  before the runtime: spec, policy, record, rewrite; or a Refusal
//	Enforcer.Created  the runtime has made the process: Running
//	Running.Started   after start: Seccomp: 2, or the caller kills it; so does Exec
//	Running.Gone      the container is deleted, and its record with it
//
// Call [Enforcer.Prepare] first. The package knows neither containerd nor a command line: the
// shim calls it for the one, batten-runc for the other. internal/record keeps the records.
package enforce
