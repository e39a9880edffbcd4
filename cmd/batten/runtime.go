package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/spf13/cobra"
)

// ociRuntime is the OCI runtime by whose libseccomp names of system calls are read.
type ociRuntime struct{ name string }

// newOCIRuntime gives a command the flag that names the runtime.
func newOCIRuntime(cmd *cobra.Command) *ociRuntime {
	o := &ociRuntime{}
	cmd.Flags().StringVar(&o.name, "oci-runtime", "", "OCI `runtime` whose libseccomp says which names it skips: a name or path; runc or crun of this node if not given")
	completeFlag(cmd, "oci-runtime", cobra.FixedCompletions([]string{"runc", "crun"}, cobra.ShellCompDirectiveDefault))
	return o
}

// find returns the runtime; ok is false where none is given and the node has none.
func (o *ociRuntime) find() (r syscalls.Runtime, ok bool, err error) {
	if o.name != "" {
		path, err := exec.LookPath(o.name)
		if err != nil {
			return r, false, hinted{fmt.Errorf("OCI runtime %q: %w", o.name, errors.Unwrap(err)), "--oci-runtime names runc, crun or what a handler's BinaryName says"}
		}
		return kernel.Runtime("", path), true, nil
	}
	r, ok = kernel.RuntimeOnPath()
	return r, ok, nil
}

// judge returns the runtime by which profiles are compared, the library that this
// command links where the node has none, and says on standard error which it is.
func (o *ociRuntime) judge(stderr io.Writer) (syscalls.Runtime, error) {
	r, ok, err := o.find()
	if err != nil {
		return r, err
	}
	if !ok {
		r = filter.Linked()
	}
	fmt.Fprintf(stderr, "note: names of system calls are read as by %s\n", r)
	return r, nil
}

// skippedNames are the findings on rules that the node's runtime skips. Without a
// runtime at hand they are warnings, on what usual ones may skip.
func (o *ociRuntime) skippedNames(find func(m policy.Machine) document.Findings) (document.Findings, error) {
	r, ok, err := o.find()
	if err != nil {
		return nil, err
	}
	m := machine()
	if m.Runtime = r; ok {
		m.Calls = kernel.Calls("")
		return find(m), nil
	}
	m.Runtime = syscalls.RuntimeOfVersion(elsewhere, semantics.OldestUsual)
	findings := find(m)
	for i := range findings {
		findings[i].Warning = true
	}
	return findings, nil
}

// elsewhere stands for the runtime of a node that is not this one.
const elsewhere = "a runtime"

// machine is this one. It starts a process to probe the kernel, so ask once.
func machine() policy.Machine {
	return policy.Machine{ABIs: kernel.ABIs(), KernelRelease: kernel.Release(), Unheard: kernel.Unheard()}
}

// machines are this one with each of the OCI runtimes that containers were started by.
func machines() (all []policy.Machine) {
	for _, r := range kernel.Runtimes(names.Records) {
		all = append(all, policy.Machine{Runtime: r, Calls: kernel.Calls(""), KernelRelease: kernel.Release()})
	}
	return all
}
