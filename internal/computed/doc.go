// Package computed keeps on disk what the policy computes for a container, so that the next
// container with the same profiles, in a shim of its own, starts without computing it again.
// A [Dir] is a policy.Computed.
package computed
