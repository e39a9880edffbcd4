// Command genengines writes the fingerprints of the default profiles of container engines: those
// of containerd and Docker from the modules that the Go module proxy has, those of Podman and
// CRI-O from clones of github.com/containers/common and github.com/cri-o/cri-o. Its arguments are
// the files to write, without _GOARCH.go, and these two clones.
package main
