// Package engines knows the default profiles of containerd, Docker and Podman. Call [Default] to
// learn whether a filter is one of them, and whose.
//
// An engine writes its default into the spec of a container that asks for RuntimeDefault, and
// nothing in the spec says that it did. The table holds fingerprints, not profiles: what a profile
// says is compared, not how it is written. The kernel is taken to be newer than all that the
// profiles ask for (Linux 5.x); on an older one nothing is recognised.
package engines

// Made by: go run ./genengines zknown CLONE-OF-CONTAINERS-COMMON CLONE-OF-CRI-O
