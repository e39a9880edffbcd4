// Package recording holds which system calls containers made, and makes profiles of that.
//
//	recording.go  Recording: what is kept of each container
//
// Call [Read] for a file that batten record wrote.
package recording
