// Package tighten puts one more seccomp filter on processes that run already.
//
//	err := tighten.Process(pid, tighten.Filter{Instructions: code}, limit)
//
// Call [Process] first. A process can install a filter on itself alone (seccomp(2)), so it is
// stopped with ptrace(2), and one of its threads is lent for up to four system calls:
//
//	seize, interrupt      every thread, until there are no new ones
//	look                  is the filter there already, and would the filters that are there
//	                      let the calls pass?
//	mmap                  memory for the program, so that none of the process's own is touched
//	seccomp               with TSYNC, for all threads; after prctl(PR_SET_NO_NEW_PRIVS) only
//	                      where the kernel asks for it
//	munmap, restore       the registers and the signal mask, as they were
//	read back             the filter on each thread that stopped
//	detach                a call that was interrupted goes on, or is restarted by the kernel
//
// No instruction of the process is written: the calls are made by one that it has, of the vDSO or of
// its program.
//
// What a machine's registers are, and how its kernel restarts a call, is in registers_linux_*.go. On
// arm64 a 32-bit program is not tightened, but named.
//
// If the tracer dies, the kernel lets the process go on as it was; between the first change of a
// register and the last the kernel kills it instead (PTRACE_O_EXITKILL), since it could not be put
// back.
package tighten
