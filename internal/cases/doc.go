// Package cases holds the specification of what containers run under: one txtar
// file a case, in testdata. Each command that answers that question runs all of
// them in its own tests and must give the same answer in the same words:
// shim/enforce, cmd/batten, and internal/status for status and verify.
//
//	policy.yaml      the node policy, and further files that it names
//	config.json      the container's spec
//	container.json   optional: namespace, engine, runtime, restore, kernel, abis
//	want             what batten explain prints, from "rule:" on
//	linux.seccomp    optional: the profile that it runs under, whole; SOCKET is the listener
//
// Call [All] first; it returns every case. [Draft] reads the policy of one. go test ./cmd/batten -update writes
// what explain prints into the cases; the other commands only read them.
package cases
