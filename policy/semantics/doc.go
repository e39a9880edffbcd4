// Package semantics says what libseccomp and the kernel make of a linux.seccomp, without
// cgo: which action each call of each architecture meets.
//
//	Understand(profile)  ──▶ Meaning: for each name and architecture a Function
//	Function             a piecewise constant map from arguments to an Outcome
//	Edits                what a profile's from, allow and deny change of a Function
//	region.Box           the arguments of one piece of such a map: package region
//	Budget               bounds the work: cutting regions can grow without end
//
// Call [Understand] first, and then [Meaning.On]. Its answers are exact, or the
// strictest where a profile has more than one reading. quirks.go lists what libseccomp 2.5
// does otherwise than runtime-spec says, enosys.go runc's stub, and multiplex.go what
// libseccomp makes of i386's socketcall and ipc.
//
// On top of that: [CompareLive] holds a filter that the kernel has against its profile,
// [Skipped] finds denials that a runtime skips, [PassedByHighBits] conditions that the
// kernel does not read as the filter does.
package semantics
