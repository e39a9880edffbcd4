// Package live reads the seccomp filters that the kernel holds for a process.
//
//	filters, err := live.Read(pid, 200*time.Millisecond)
//
// Call [Read] first. It uses no cgo, so that the shim can import the package; filter.Live
// is the same for batten status and batten verify, and says why a process does not stop.
//
// The kernel tells the filters to a tracer of a stopped process, by
// PTRACE_SECCOMP_GET_FILTER (ptrace(2)). The tracer here is a separate process, made by
// clone(2) for one reading, without executing a program, for two reasons:
//
//   - A process that waits for any child, as a shim does, would take the stop of a process
//     that it traces for the end of a child.
//   - Attaching may block without end, if the process executes a file of a file system that
//     does not answer. The tracer can be killed then, and the kernel releases every process
//     that it traced.
package live
