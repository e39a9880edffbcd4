// Package floor computes the intersection of two profiles: the profile under which a
// container acts as the kernel would make it act with both filters installed.
//
//	floor.go       Floor, its result and limits, flags and listeners
//	intersect.go   the state of one intersection, name by name
//	rules.go       grouping rules; how large the compiled filter gets
//	i386.go        rules on socketcall and ipc       enosys.go  runc's ENOSYS stub
//	check.go       reads the result again: nowhere looser, or it is not returned
//	edit.go        Edit: a profile with calls that are allowed and denied
//	union.go       Union: what either of two profiles allows     join.go   its rules
//
// Call [Floor], or [Edit] or [Union], which work by the same steps. policy/semantics says what
// profiles mean, and has the algebra.
package floor
