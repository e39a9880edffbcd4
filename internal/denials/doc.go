// Package denials keeps what filters denied the programs of a container, or would have
// denied them.
//
//	counts.go    Counts, what is known of one container
//	store.go     Store, the files that hold them
//	listen.go    Listen, the socket that a runtime hands its notify descriptor to
//	accept.go    runtimes that connect to it, one for each exec
//	socket.go    unix sockets without package net
//	reach.go     whether a listener is there
//	message.go   the runtime's message
//	loop.go      the thread that answers the calls of all descriptors
//	throttle.go  what a flood of denials may cost the node
//	notify.go    the kernel's interface, seccomp_unotify(2)
//	refuse.go    enforcing: each call fails with the profile's errno
//	audit.go     auditing: each call runs
//	tally.go     counts calls by their kind
//	sample.go    who made the first call of a kind
//	write.go     writes counts and log lines, a second apart
//	line.go      Line, one line of the policy's log
//
// A shim calls [Listen] before it creates the container; the operator's commands call
// [Store.List].
package denials
