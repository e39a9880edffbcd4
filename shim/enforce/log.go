package enforce

import (
	"encoding/json"
	"os"

	"github.com/batten-runtime/batten/policy"
	"github.com/containerd/log"
)

// log says what was decided: to the shim's log, and as a line of JSON to the
// file that the policy names, if any. That file is a copy for the auditor; a
// container does not fail to start for want of it.
func (e *Enforcer) log(p *policy.Policy, rec *Record) {
	entry := log.L.WithFields(log.Fields{
		"containerdNamespace": rec.ContainerdNamespace, "id": rec.ID,
		"podNamespace": rec.PodNamespace, "podName": rec.PodName, "container": rec.Container,
		"policy": rec.Policy, "policyDigest": rec.PolicyDigest, "rule": rec.Rule, "mode": rec.Mode,
		"asked": rec.Asked, "verdict": rec.Verdict, "result": rec.Result,
	})
	entry.Info("batten: " + rec.Reason)
	if p.Log == "" {
		return
	}
	if err := appendLine(p.Log, rec); err != nil {
		entry.WithError(err).Error("batten: the decision is not in the policy's log")
	}
}

// appendLine writes one line in one call, so that shims do not mix theirs.
func appendLine(path string, rec *Record) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(data, '\n')); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
