// Package install puts Batten into an engine's configuration, and takes it out
// again.
//
//	Containerd, Docker, Podman ──▶ Plan: one file, before and after
//	                                 │  Diff, Apply
//	                                 ▼
//	the engine's file, and what it was before, below Dir ──Undo──▶ Plan
//
// A plan keeps what the file says, comments too, and is refused where the file
// cannot be understood. Applying it writes by temp file, fsync and rename, and
// has the engine itself read the result; what the engine does not accept is put
// back. Undo gives the file back byte for byte unless somebody changed it since;
// then it takes out what Apply put in.
package install
