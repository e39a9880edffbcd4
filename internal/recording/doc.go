// Package recording holds which system calls containers made, and makes profiles of that.
//
//	recording.go  Recording: what is kept of each container
//	check.go      what a recording must hold to be read
//	profile.go    Profile: the profile that allows what was recorded
//	seen.go       all recordings together, call by call
//	arguments.go  rules on arguments, and the calls that fail with ENOSYS
//	notes.go      what a profile's reader must know about its recordings
//	minimize.go   Minimize: a profile without what recordings did not need
//	judge.go      Judge: which recorded calls a profile denies
//	format.go     Encode: a profile for the runtimes, Docker, or the Security Profiles Operator
//
// Call [Read] for a file that batten record wrote, then [Profile].
package recording
