// Package procfs reads what the kernel tells of processes (proc(5)).
//
//	All("/proc")    every process, with its namespaces, cgroup and seccomp mode
//	Read            one process           StatusOf     its status alone, the cheapest
//	StartTime       when it began         Executable   the file that it executes
//	Lives           whether it has ended
//
// Call [All] for the whole machine, [Read] for one process. A pid and its start time
// together name one process for good.
//
// The package opens nothing behind which a container could put a file system or memory of
// its own: no root directory, and no command line unless asked for. Such a read can hang,
// and one container would blind the node.
package procfs
