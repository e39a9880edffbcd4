// Package recorder lists the system calls that containers make, by eBPF: small programs that the
// kernel runs at each call, fork, execve and exit of the machine. Nothing of the containers is
// changed or stopped, and what is recorded is let through; a filter's denials never get here,
// since the kernel asks filters first (syscall_trace_enter, kernel/entry/common.c).
//
//	recorder.go   Open, what a recorder is asked for and what it lost
//	spaces.go     which containers are recorded, and which are not
//	calls.go      Calls, what was recorded of one container
//	maps.go       what the programs keep in the kernel
//	sysenter.go   the program at each call      follow.go  those at fork, execve and exit
//	offsets.go    where fields of the kernel are, by its own description (BTF)
//	errors.go     what is missing on this machine, and the remedy
//
// A container is told by its mount namespace: each has one of its own. A process is recorded from
// the execve in a container's mount namespace on, with all that it forks. Where an execve happens
// in a mount namespace that is not known yet, the kernel records at once, and [Recorder.Next]
// tells of it: whoever listens says by [Recorder.Ignore] that it is of no interest. So a
// container is recorded from the first instruction of its program, whoever starts it.
//
// Call [Open] first, then [Recorder.Next] until the end, and then [Recorder.Calls]. When its
// process ends, however that happens, the kernel detaches the programs.
package recorder
