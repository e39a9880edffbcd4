// Package fingerprint sums up profiles so that those that mean the same have the same sum, in
// whatever order and grouping their rules are written. Call [Of] for the sum of a profile, and
// [Template.Sum] for the one that an engine's default has for a container.
package fingerprint
