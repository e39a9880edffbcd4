// Package syscalls knows the names and numbers of Linux' system calls: which
// architecture has which, which i386 calls hide behind socketcall(2) and ipc(2), which
// arguments the kernel cuts to 32 bits, and which names a runtime's libseccomp knows.
//
//	Number(arch, name)   a name's number       CallAt(arch, nr)   and back
//	Multiplexed[name]    i386's socketcall and ipc
//	Signatures[name]     the widths of the arguments
//	Runtime.Knows(name)  whether runc or crun would skip a rule on the name
//	Calls.Has(name)      whether this kernel has the call
//	Fallbacks[name]      what programs do without the call
//
// Call [Number] first. The tables are generated; the generators are in gen… below.
package syscalls
