// Package observe makes the observing twin of a profile: what the profile denies, the twin
// notifies a listener of, with SCMP_ACT_NOTIFY. `denials: Count` and `mode: Audit` ask for it.
//
//	observe.go    Profile, what it is asked for and what it returns
//	names.go      which names can be notified of, and the rules for them
//	around.go     fewer rules for a call that is allowed with two kinds of values
//	enosys.go     runc's ENOSYS stub, above which a new rule may not go
//	handover.go   calls that a runtime makes before the listener has the descriptor
//	rules.go      the twin's rules, in order
//	i386.go       rules on socketcall and ipc
//	check.go      reads the twin again: it means what the profile means, or it is not returned
//	size.go       how large the compiled filter gets
//	arches.go     in an audit, the architectures that the profile does not list
//	answer.go     what the profile says of a call that the listener is notified of
//
// Call [Profile]. policy/semantics says what profiles mean, and has the algebra.
package observe
