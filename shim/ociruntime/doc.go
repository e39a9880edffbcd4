// Package ociruntime is the command line of an OCI runtime, with the node policy
// asked before a container is made: batten-runc. Engines that call a runtime
// as a command (Podman, CRI-O, Docker, Buildah, containerd's own shim by its
// BinaryName) call batten-runc instead, and it hands over to the real one.
//
// create, run and restore make containers. For these the bundle is found as the
// real runtime will find it, held to the policy by shim/enforce, and then the
// runtime takes the place of this process with its arguments as they were.
// Every other subcommand goes there at once. Which subcommand and which bundle
// it is, is where a guess would be a way round the policy: what two readings
// of the arguments could disagree on is refused.
package ociruntime
