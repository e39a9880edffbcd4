package profile

import (
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Skipped returns the names that the profile in a file denies and the runtime skips, and a
// flag that the runtime refuses.
func (p *Profile) Skipped(file string, t Target, r syscalls.Runtime, kernel syscalls.Calls) (out document.Findings) {
	s := p.Resolve(t)
	if slices.Contains(s.Flags, specs.LinuxSeccompFlagWaitKillableRecv) && r.Older(killableSince) && !r.IsCrun() {
		out = append(out, document.Finding{
			ID: "flag-unsupported", What: "profile", File: file, Line: 1, Column: 1,
			Message: fmt.Sprintf("runc refuses SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV with libseccomp before %s, and %s has %s: no container starts", killableSince, r.Path, r.Libseccomp),
		})
	}
	names, err := semantics.Skipped(&s, &s, r, kernel)
	if err != nil || len(names) == 0 {
		return out // others report what is wrong with it
	}
	e := &semantics.SkippedError{Profile: "it", Names: names, Runtime: r}
	return append(out, document.Finding{ID: "skipped-name", What: "profile", File: file, Line: 1, Column: 1, Message: e.Error()})
}

// killableSince is the first libseccomp that has the flag WAIT_KILLABLE_RECV, without
// which runc refuses it.
const killableSince = "2.6.0"
