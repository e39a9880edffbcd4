// Package shim is containerd's runc shim with the node policy in front of it.
//
//	containerd ──ttrpc──▶ Service ──▶ containerd's own task service ──▶ runc
//	                        │ Create: options, enforce.Prepare
//	                        │ Start:  enforce attests in /proc
//	                        └ Delete: the record goes
//
// Everything that is not about policy is containerd's code, imported and not
// copied: exec, pause, stats, events, reaping, reconnecting. [Main] is the
// whole binary; options.go turns what daemons send into runc's options, and
// compat.go answers daemons older than containerd 2.3.
package shim
