// Package block closes system calls to every container of a node, by a drop-in with a mandatory
// floor.
//
//	"socket(AF_ALG)" ──Parse──▶ Call ──Profile──▶ linux.seccomp ──Text──▶ /etc/batten/policy.d/NAME.yaml
//	                                  └──Takes──▶ what it takes away, in words
//
// Demand is a policy of the block alone, by which status.Survey says which running containers let
// the calls through. Call [Parse] first. batten block does all of it.
package block
