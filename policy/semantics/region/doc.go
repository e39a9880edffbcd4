// Package region holds sets of argument values, in the form that conditions of
// linux.seccomp can describe.
//
//	conditions ──Visible, Boxes──▶ Box: Values of six arguments ──Conditions──▶ conditions
//	                                │ Intersect  Minus  Has
//
// Call [Boxes] first: it returns the calls that meet the conditions of a rule. Boxes and
// [Values] are closed under intersection, and the difference of two is a list of disjoint
// ones; so policy/semantics can compute with rules exactly. [WidthOf] says how many bits of
// an argument the kernel reads.
package region
