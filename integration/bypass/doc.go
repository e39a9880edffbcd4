// Package bypass is the matrix of ways in which somebody has tried, or could try,
// to have a process run below the policy. Each row is a real container: under the
// stock runtime, where the attempt shows that it is one, and under Batten, where
// it ends as stopped, as harmless for a reason that is given, or as a known limit
// that SECURITY.md names. docs/evidence/assurance.md has the sums.
package bypass
