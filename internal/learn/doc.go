// Package learn records what containers of this node do. It joins internal/recorder, which knows
// processes and mount namespaces, to the records of containers, which have names.
//
//	session.go    Session: Open, Run, Close
//	wanted.go     Wanted, which containers are recorded
//	who.go        which container a process is of
//	container.go  one container that is recorded
//	running.go    containers that run already when recording begins
//	command.go    a command or a bundle that is started to be recorded
//	listen.go     a bundle that is recorded without eBPF
//
// Call [Open], then [Session.Run], and then [Session.Close], which returns the recording.
package learn
