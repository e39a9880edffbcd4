// Command batten is the operator's side of Batten: it checks the node policy,
// says what it decides, and shows what was decided.
//
// Begin at run in root.go. Each subcommand has a file of its name, with its flags and what it
// prints; what several share is in errors.go, profiles.go, runtime.go and engine.go.
package main
