// Command gensignatures writes the table of system call arguments that the
// kernel reads as less than 64 bits. It reads a source tree of Linux: each
// SYSCALL_DEFINE, and the tables that map a call's name to its function.
//
//	LINUX=/path/to/linux go generate ./policy/syscalls
//
// Without LINUX the table stays as it is.
package main
