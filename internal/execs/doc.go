// Package execs closes system calls to what is started later in a container that runs: by an exec,
// a probe, a hook. An OCI runtime loads for these what it keeps of the container's profile.
//
//	where, err := execs.New(profile).Close(execs.Container{ID: id, Pid: pid})
//
// Call [New] first. Runc keeps the profile in state.json, in libcontainer's words
// (libcontainer/configs in github.com/opencontainers/runc); crun keeps the config.json that it was
// given (OCI runtime-spec, config-linux.md, "Seccomp"), and the filter made of it in seccomp.bpf.
package execs
