// Package status answers whether a node is safe: which containers run, and whether
// what the kernel does with their calls is what today's policy demands.
//
//	/proc ──▶ Find ◀── records          policy, bundle     kernel's filters
//	            │                              │                  │
//	            ▼                              ▼                  ▼
//	        Containers ───────────────────▶ Judge ─────────▶ Verdict of each
//
// Survey does all of it, for batten status and batten verify. Question adds the policy and
// the engines: what they are configured to start containers by, and what they have read.
package status
