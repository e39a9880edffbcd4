// Package runc is the command line of an OCI runtime, with the node policy
// asked before a container is made: batten-runc. Engines that call a runtime
// as a command (Podman, CRI-O, Docker, Buildah, containerd's own shim by its
// BinaryName) call batten-runc instead, and it hands over to the real one.
//
// create, run and restore make containers. For these, batten-runc finds the bundle as the
// real runtime will find it, and shim/enforce holds the bundle to the policy. Then the
// runtime takes the place of this process, with the same arguments. Every other subcommand
// goes to the runtime at once.
//
// Where the policy has denials seen, a process of batten-runc listens for the container
// (listen.go starts and ends it, listener.go is that process). It ends with the container.
//
// A wrong guess of the subcommand or the bundle would bypass the policy. So batten-runc
// refuses arguments that can be read in two ways. Call [Main]; [Parse] reads the arguments.
package runc
