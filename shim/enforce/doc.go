// Package enforce holds one container to the node policy: it reads the
// bundle's spec, decides, rewrites linux.seccomp, keeps a record, and looks in
// /proc that the kernel filters the process that came of it.
//
//	Prepare(container) ── before the runtime: spec, policy, record, rewrite ─▶ Prepared or a Refusal
//	Created(pid)       ── the runtime has made the process
//	Attest(pid)        ── after start and exec: Seccomp: 2, or the caller kills it
//	Forget(id)         ── the container is gone
//
// It knows neither containerd nor a command line; the shim and batten-runc
// join it to theirs. Records are JSON files below a directory of root's, one a
// container.
package enforce
