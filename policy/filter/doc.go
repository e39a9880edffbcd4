// Package filter knows what libseccomp makes of a profile and what the kernel
// does with it.
//
//	linux.seccomp ──Compile──▶ Program ─┐
//	a process's filters ──Live──▶ Stack ┴─▶ Equal, Subsumes, Diff, Deviations
//
// [Compile] makes the very program that runc loads. Comparing walks programs
// symbolically: arch and number split into intervals that every program treats
// alike, and what remains is a function of the arguments, kept as a decision
// diagram over their bits. Equal functions have one diagram, so an answer holds
// for every call there is, and a no comes with a [Witness].
//
// It uses libseccomp by way of cgo; the shim does not import it.
package filter
