// Package lint judges files, profiles and Kubernetes manifests alike, as batten lint
// prints it.
//
//	File ──Linter.Files──▶ manifest.Finding ──WriteSARIF──▶ a report for CI systems
//	                              └───────────Repair──────▶ the files, repaired
//
// Call [Node.Look] first where findings may depend on what this machine has, and then
// [Linter.Files]. What a finding's ID means is in [IDs] and docs/reference/findings.md.
package lint
