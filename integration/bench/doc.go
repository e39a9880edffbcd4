// Command bench sets Batten beside containerd's own shim on a private node and
// prints the ratios as Markdown. docs/evidence/performance.md says what they mean.
//
//	main.go     the flags
//	play.go     the parts, and how two ways are compared
//	shim.go     memory, sizes, and the time that Create takes
//	other.go    this build beside another build's binaries
//	floor.go    floors; dropins.go drop-ins
//	observe.go  denials that are counted; redis.go a program that is hardly ever denied
//	wrapper.go  batten-runc
//	record.go   programs beside a recorder, recorded and not
//	pods.go     pods on a Kubernetes node
package main
