package manifest

import (
	"slices"
	"strings"
)

// refusals are the IDs of findings about fields for which the API server refuses a pod.
var refusals = []string{"profile-type", "localhost-type", "localhost-path", "windows-profile"}

// Refusals returns why the API server refuses the pod for what it asks of seccomp; none
// where it takes that. SeccompRoot is what the kubelet calls its directory of profiles.
func (p *Pod) Refusals(seccompRoot string) (why []string) {
	l := linter{pod: p, env: Environment{SeccompRoot: seccompRoot}}
	l.refusals()
	for _, f := range l.out {
		said := strings.TrimPrefix(f.Message, p.String()+": ")
		if !slices.Contains(why, said) {
			why = append(why, said)
		}
	}
	return why
}

// refusals reports for what the API server refuses the pod, on whichever nodes it runs.
func (l *linter) refusals() {
	l.profiles()
	l.out = slices.DeleteFunc(l.out, func(f Finding) bool { return !slices.Contains(refusals, f.ID) })
	l.windows()
}
