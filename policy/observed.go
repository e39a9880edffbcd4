package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Versions with which calls can be notified of: runc and crun hand the descriptor of the
// filter to the socket of listenerPath, and libseccomp knows SCMP_ACT_NOTIFY.
const (
	notifyingRunc       = "1.1.0"
	notifyingCrun       = "0.17.0"
	notifyingLibseccomp = "2.5.0"
)

// Versions with SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, which runtime-spec 1.1 has: Linux 5.19;
// crun by a number of its own; runc only where its libseccomp has it. The first candidates of runc
// 1.5.0 do not know it, and tell their version as 1.5.0.
const (
	killableCrun       = "1.6.0"
	killableRunc       = "1.5.1"
	killableLibseccomp = "2.6.0"
)

// killable reports whether a filter can be loaded whose calls wait for the listener's answer
// without being interrupted by signals.
func killable(m Machine) bool {
	var major, minor int
	if n, _ := fmt.Sscanf(m.KernelRelease, "%d.%d", &major, &minor); n < 2 || major < 5 || major == 5 && minor < 19 {
		return false
	}
	rt := m.Runtime
	return rt.IsCrunSince(killableCrun) || rt.IsRunc(killableRunc) && rt.Libseccomp != "" && !rt.Older(killableLibseccomp)
}

// observe returns the twin of Result under which the denials of the container are seen, if
// the policy asks for that. Why says why they cannot be seen. What cannot be observed is
// enforced, or audited, all the same.
func (o *Outcome) observe(r Request, m Machine) (twin *observe.Observed, why string) {
	switch {
	case o.Denials == Silent, o.Denials == "" && o.Mode == Enforce, o.Refused(), o.Result == nil && o.Refusal == "":
		return nil, ""
	case o.Refusal != "":
		return nil, "enforcement would refuse it"
	case o.Mode == Audit && (o.Verdict == Leave || same(o.Result, o.Audited)):
		return nil, "" // enforcement would deny nothing more
	case o.Mode == Audit && has(*o.Result, specs.ActTrace):
		return nil, "enforcement would trace calls, which fail without a tracer, and an audit lets each call run"
	case o.Mode == Audit && o.Audited != nil && has(*o.Audited, specs.ActTrace): // SCMP_ACT_NOTIFY comes before it
		return nil, "its own profile traces calls, which fail without a tracer, and the listener would let them run"
	case r.Restore:
		return nil, "it comes out of a checkpoint, with the filter that is there"
	}
	if why := unheard(r, m); why != "" {
		return nil, why
	}
	asked := observe.Request{Seccomp: *o.Result, Mode: observe.Count, Runtime: m.Runtime, Killable: killable(m), ListenerPath: r.Listener}
	if o.Mode == Audit {
		asked.Mode, asked.Beside = observe.Audit, o.Audited != nil
	}
	twin, err := twinOf(asked, m.Computed)
	if err == nil && o.Mode == Audit && o.Audited != nil {
		twin, err = beside(twin, *o.Audited, m.Computed)
	}
	switch {
	case err != nil:
		return nil, err.Error()
	case twin.Seccomp.ListenerPath == "":
		return nil, "nothing that the profile denies can be notified of"
	}
	for _, name := range observe.HandsOver(m.Runtime) {
		if profile.Denies(&twin.Seccomp, name) {
			return nil, fmt.Sprintf("the profile denies %s, by which the runtime hands the listener over", name)
		}
	}
	return twin, ""
}

// unheard says why no listener can be notified of the container's calls; empty if one can.
func unheard(r Request, m Machine) string {
	switch rt := m.Runtime; {
	case r.Listener == "":
		return "nobody listens"
	case m.Unheard != "":
		return m.Unheard
	case !rt.Judged():
		return "it is unknown whether the runtime can notify a listener"
	case !rt.IsRunc(notifyingRunc) && !rt.IsCrunSince(notifyingCrun):
		return fmt.Sprintf("%s is not known to notify a listener; runc %s and crun %s do", rt.Path, notifyingRunc, notifyingCrun)
	case rt.Libseccomp == "" || rt.Older(notifyingLibseccomp):
		return fmt.Sprintf("%s is not known to have libseccomp %s, the first that notifies a listener", rt.Path, notifyingLibseccomp)
	}
	return ""
}

var errOwnListener = errors.New("its own profile notifies a listener, and a container can have only one")

// anyListener stands for the socket of a container, so that containers that differ in nothing
// else have one result.
const anyListener = "/listener"

// beside returns the twin of an audit for a container that brings a filter: that filter
// still denies what it denies.
func beside(twin *observe.Observed, brought specs.LinuxSeccomp, c Computed) (*observe.Observed, error) {
	if has(brought, specs.ActNotify) || brought.ListenerPath != "" { // its listener could not answer, and calls would fail
		return nil, errOwnListener
	}
	own := twin.Seccomp.ListenerPath
	out := *twin
	out.Seccomp.ListenerPath = anyListener
	both, _, err := floorOf(brought, out.Seccomp, c)
	if err != nil {
		return nil, fmt.Errorf("the filter that it brings cannot be installed beside the observing profile: %w", err)
	}
	if out.Seccomp = both.Seccomp; out.Seccomp.ListenerPath != "" {
		out.Seccomp.ListenerPath = own
	}
	return &out, nil
}

// has reports whether a profile has an action.
func has(s specs.LinuxSeccomp, a specs.LinuxSeccompAction) bool {
	return s.DefaultAction == a || slices.ContainsFunc(s.Syscalls, func(r specs.LinuxSyscall) bool { return r.Action == a })
}
