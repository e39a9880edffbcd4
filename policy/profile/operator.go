package profile

import (
	"slices"

	"github.com/batten-runtime/batten/policy/document"
)

// operator is what the Security Profiles Operator makes of a SeccompProfile besides
// reading it: api/seccompprofile/v1 in its repository. The zero value is no operator.
type operator struct {
	writes bool   // the file is the operator's to write
	base   string // the profile whose rules it adds
}

// Keys that the operator reads for itself, and those of supersets that the type of a
// SeccompProfile does not have.
var (
	operatorKeys = []string{"baseProfileName", "disabled", "state", "targetWorkload"}
	notInSpec    = []string{"archMap", "defaultErrno", "defaultErrnoRet"}
	notInRule    = []string{"name", "errno", "includes", "excludes", "comment"}
)

// own returns the profile in the spec of a SeccompProfile, and reports what does not
// get from there into the file that the operator writes.
func (o *operator) own(spec document.Node) document.Node {
	o.writes = true
	if spec.IsZero() || !spec.IsMapping() {
		return spec
	}
	unknown := func(at document.Node, name string) {
		at.Errorf("the API server does not know %q in a SeccompProfile: kubectl apply refuses it, and for others it is dropped", name)
	}
	leave := operatorKeys
	for _, p := range spec.Pairs() {
		switch {
		case p.Name == "baseProfileName":
			o.base = p.Value.Text()
		case slices.Contains(notInSpec, p.Name):
			unknown(p.Key, p.Name)
		case p.Name == "flags" && p.Value.IsList() && len(p.Value.List()) == 0:
			p.Key.As("dropped").Warnf("the operator leaves an empty list of flags out, so the runtime loads the filter with SECCOMP_FILTER_FLAG_SPEC_ALLOW")
			leave = append(slices.Clone(leave), "flags")
		case p.Name == "syscalls":
			for _, rule := range p.Value.List() {
				for _, r := range rule.Pairs() {
					if slices.Contains(notInRule, r.Name) {
						unknown(r.Key, r.Name)
					}
				}
			}
		}
	}
	return spec.Without(leave...)
}

// mend takes an errno of 0 out of rules, as the operator does when it writes them.
func (o operator) mend(r *rule, at document.Node) {
	if o.writes && r.ErrnoRet != nil && *r.ErrnoRet == 0 {
		at.As("dropped").Warnf("the operator leaves errnoRet: 0 out, so the call fails with EPERM")
		r.ErrnoRet = nil
	}
}
