// Package suggest turns the denials of a container into the smallest addition to its profile
// that lets them pass, and into the rule of a policy that gives the profile to that workload.
//
//	suggest.go     For, from denials to calls, sorted by what should become of them
//	danger.go      calls that reach the node if they are open
//	probe.go       calls that programs only try
//	capability.go  the capabilities with which RuntimeDefault would have allowed a call
//	apply.go       the profile with more calls allowed
//	exact.go       proves that the new profile allows the calls, and nothing else new
//	rule.go        the match of the rule: globs for names that controllers make
//	yaml.go        Write, all of it as a policy; yaml_list.go wraps long lists
//
// Call [For], and then [Write]. The package reads no file.
package suggest
