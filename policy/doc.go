// Package policy is the node policy: what every container on a node runs
// under, whatever its pod, image or engine asked for.
//
//	policy.yaml + profiles ──Load──▶ Policy
//	request (who, what it asks) ──Policy.Decide──▶ Decision: rule, word, reason
//	Decision ──Policy.Seccomp──▶ linux.seccomp
//
// A policy answers two questions, at the top or in the first rule that
// matches: what happens to a container that brings no filter (absent), and to
// one that brings its own (present). docs/policy.md is the reference.
//
// [Policy.Decide] is pure. [Load] reads the policy and the profiles that it
// names, and trusts only files that nobody but root can change.
package policy
