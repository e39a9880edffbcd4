// Package spec reads and edits an OCI bundle's config.json as bytes.
//
// Batten changes one value of a spec, linux.seccomp, and must not disturb
// anything that it does not know:
//
//	config.json ──Parse──▶ Spec ──Splice(seccomp)──▶ config.json
//	                        │
//	                        └─ View: annotations, bounding set, noNewPrivileges, seccomp
//
// [Parse] refuses what runtimes could read in two ways: keys that occur twice
// in one object, and keys that differ from one that Batten reads only in case,
// since runc's decoder (encoding/json) takes either and crun's only one.
// [Spec.Splice] leaves every byte outside the value as it was.
//
// The format is runtime-spec's config.md and config-linux.md.
package spec
