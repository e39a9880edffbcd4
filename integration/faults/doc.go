// Package faults has system calls of Batten's fail, and Batten killed between two
// of them, on real nodes. Whatever happens, no container runs below the policy, no
// file is half written, no task is stuck, and the next container starts.
//
// ROUNDS is how many faults each test makes; docs/evidence/assurance.md has what came of
// many.
package faults
