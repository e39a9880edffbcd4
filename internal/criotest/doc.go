// Package criotest imitates what CRI-O hands to an OCI runtime, for tests: CRI-O itself is on
// no package registry that they may use. It follows the sources of CRI-O 1.37 and 1.24, which do
// not differ in this: the annotations of a spec, in the order in which CRI-O writes
// them, so that a pod's author can forge here what he can forge there, and conmon's arguments.
//
//	annotations.go  SpecAddAnnotations in internal/factory/container, runPodSandbox in server
//	conmon.go       CreateContainer in internal/oci/runtime_oci.go
//	testdata        a config.json of each kind
package criotest
