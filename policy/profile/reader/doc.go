// Package reader knows what the programs that read profile files make of them.
//
//	file ──Engine.Read──▶ Profile: what the engine keeps, with the places of the file
//	                      Findings: what it refuses, what it drops, what that changes
//
// Call [Engine.Read]. containerd's CRI plugin and ctr decode runtime-spec's plain
// linux.seccomp and drop archMap, includes, excludes, name and the errno names without a
// word. Docker, Podman and CRI-O read supersets, which differ from each other. All of
// them use encoding/json, and so does this package, on the same types: the case of keys,
// keys that occur twice, numbers written as text and what follows the profile are as the
// engine has them. [AsWritten] is Batten's own strict reading, of which the policy's
// profiles are made.
package reader
