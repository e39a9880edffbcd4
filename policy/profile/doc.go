// Package profile reads, checks and resolves seccomp profiles.
//
//	JSON or inline YAML ──Parse──▶ Profile ──Resolve(Target)──▶ linux.seccomp
//	     containerd's own DefaultProfile ──RuntimeDefault──┘        │
//	                                            ForArchitectures ◀──┘
//
// A [Profile] is what somebody wrote: runtime-spec's linux.seccomp
// (config-linux.md) or the superset of it that moby and containers/common use,
// with archMap, includes, excludes and errno names. Resolving it against a
// container's capabilities, the machine and its kernel gives plain
// runtime-spec. [Validate] says what a runtime would silently make of it.
//
// The package is pure: it reads no file and makes no system call but the ABI
// probe, which callers run once.
package profile
