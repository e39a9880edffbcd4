// Command demo shows Batten's main job on a private containerd, step by step,
// and fails if any step is not as promised.
//
//	main.go   starts the private node
//	play.go   the steps, in order
//	stage.go  what the steps have in common
//	audit.go  what an audit shows; block.go closes a call
package main
