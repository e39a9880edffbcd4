// Package kernel finds out what this machine has: which ABIs the kernel runs, which system
// calls it has, and which names of calls the OCI runtime's libseccomp knows.
//
//	Probe(dir, "runc")     asks the kernel and the runtime once a boot, keeps the answers
//	Machine(dir)           the kept answers, for policy.Resolve
//	Runtime(dir, "crun")   one runtime; asked again when it or its libseccomp changes
//
// Call [Probe] first if the program waits for any child, as the shim does: the probes start
// processes. The commands keep nothing and call [ABIs], [Calls] and [Runtime] with an empty
// dir. policy and policy/profile only use the answers: they ask no kernel.
package kernel
