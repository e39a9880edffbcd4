// Package profile reads, checks and resolves seccomp profiles as people write them.
//
//	JSON or inline YAML ──Parse──▶ Profile ──Resolve(Target)──▶ linux.seccomp
//	     containerd's own DefaultProfile ──RuntimeDefault──┘        │
//	                                            ForArchitectures ◀──┘
//
// Call [Parse] first. A [Profile] is what somebody wrote: runtime-spec's linux.seccomp
// (config-linux.md) or the superset of it that moby and containers/common use, with
// archMap, includes, excludes and errno names. Resolving it against a container's
// capabilities, the machine and its kernel gives plain runtime-spec. [Parse] also says what
// a runtime would silently make of it.
//
// The package reads no file. Its one system call is uname, for [RuntimeDefault], as in
// containerd. internal/kernel finds out the [ABIs].
package profile
