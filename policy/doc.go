// Package policy is the node policy: what every container on a node runs
// under, whatever its pod, image or engine asked for.
//
//	policy.yaml + profiles ──Load──▶ Policy
//	Request (who asks) + brought filter + Machine ──Policy.Resolve──▶ Outcome
//	Outcome: decision, base, floor, result, notes, refusal
//
// Call [Load], or [Store] where the policy may change, and then
// [Policy.Resolve]: it alone says what a container runs under. Resolve is pure.
//
// A policy answers two questions, at the top or in the first rule that
// matches: what happens to a container that brings no filter (absent), and to
// one that brings its own (present). docs/reference/policy.md is the reference.
//
// [Load] reads the policy and the profiles that it names, and trusts only
// files that nobody but root can change.
package policy
