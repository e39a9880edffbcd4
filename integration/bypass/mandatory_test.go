package bypass

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/pkg/oci"
)

const (
	unconfined = "version: 1\nabsent: Unconfined\n"
	liftsFloor = "version: 1\nfloor: RuntimeDefault\nrules:\n- {name: free, match: {}, absent: Unconfined, floor: None}\n"
)

var mandatoryRows = []row{
	{name: "a blocked call, unconfined", try: blocked("af-vsock", unconfined, calls("vsock")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "the same by socketcall(2)", try: blocked("af-vsock", unconfined, calls("socketcall_vsock")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "the same by i386's socket(2)", try: blocked("af-vsock", unconfined, calls("i386_vsock")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "the same with bits that the kernel does not read", try: blocked("af-vsock", unconfined, calls("high_vsock")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a blocked call, privileged, by a rule that lifts the floor", try: blocked("af-vsock", liftsFloor, calls("vsock", oci.WithPrivileged)), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a blocked call in an audit", try: blocked("af-vsock", "version: 1\nmode: Audit\n", calls("vsock")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a blocked call under a filter of its own that allows", try: blocked("keyrings", unconfined, calls("own_filter")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a blocked call that a tracer puts in place of another", try: blocked("keyrings", unconfined, calls("exchanged")), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a blocked user namespace, with the capability", try: blocked("user-namespaces", unconfined, calls("new_user", oci.WithAddedCapabilities([]string{"CAP_SYS_ADMIN"}))), stock: "OK", batten: "EPERM", end: stopped},
	{name: "blocked io_uring, in an audit that is silent", try: blocked("io-uring", "version: 1\nmode: Audit\ndenials: Silent\n", calls("io_uring")), stock: "OK", batten: "EPERM", end: stopped},
}

// TestMandatory: the shipped blocks, and policies that let everything else through.
func TestMandatory(t *testing.T) { try(t, mandatoryRows) }

// blocked puts a shipped block beside a policy.
func blocked(block, policy string, try func(*attempt) string) func(*attempt) string {
	return under(policy, func(a *attempt) string {
		dir := filepath.Join(a.Etc, "policy.d")
		a.must(os.MkdirAll(dir, 0o755))
		a.later(func() { _ = os.RemoveAll(dir) })
		a.write(filepath.Join(dir, block+".yaml"), read(a.t, "deploy/policies/blocks/"+block+".yaml"))
		return try(a)
	})
}
