package daemonset

import (
	"errors"

	"github.com/batten-runtime/batten/policy"
)

// checkSkipped returns an error if the host could start no container under the ConfigMap's policy and
// drop-ins: if each of its runtimes skips the rule on a name that they deny, and nothing could hold
// containers to it. Where one of several does, that is said. The files have passed checkKeys.
func (a *Agent) checkSkipped(files map[string][]byte) error {
	if a.Machines == nil {
		return nil
	}
	p, findings := parse(files)
	_, dropIns := split(files)
	for _, name := range sortedKeys(dropIns) {
		own, more := policy.ParseDropIn(name, dropIns[name], nil)
		findings = append(findings, more...)
		p = p.With(own)
	}
	if err := findings.Err(); err != nil {
		return err
	}
	var refused []error
	machines := a.Machines()
	for _, m := range machines {
		if err := p.Skipped(m).Err(); err != nil {
			refused = append(refused, err)
		}
	}
	if len(refused) == len(machines) {
		return errors.Join(refused...)
	}
	for _, err := range refused {
		a.say("containers of one runtime of this node are refused: %v", err)
	}
	return nil
}
