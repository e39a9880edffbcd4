package enforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/containerd/log"
)

// log writes the decision to the shim's log, and as a line of JSON to the file that the policy
// names, if any. That file is a copy for auditors: a container starts even if the file cannot
// be written.
func (e *Enforcer) log(p *policy.Policy, rec *record.Record) {
	entry := log.L.WithFields(log.Fields{
		"containerdNamespace": rec.ContainerdNamespace, "id": rec.ID,
		"podNamespace": rec.PodNamespace, "podName": rec.PodName, "container": rec.Container,
		"policy": rec.Policy, "policyDigest": rec.PolicyDigest, "rule": rec.Rule, "mode": rec.Mode,
		"asked": rec.Asked, "verdict": rec.Verdict, "result": rec.Result,
	})
	if len(rec.Hooks) > 0 {
		entry = entry.WithField("hooks", rec.Hooks)
	}
	if rec.WouldChange != nil {
		entry = entry.WithField("wouldChange", rec.WouldChange.Text)
	}
	entry.Info("batten: " + rec.Reason)
	if p.Log == "" {
		return
	}
	if err := appendLine(p.Log, rec); err != nil {
		entry.WithError(err).Error("batten: the decision is not in the policy's log")
	}
}

// appendLine writes one line by one call of write(2), so that lines of several shims do not
// mix. It opens the file for each line: after a rename, the next line makes a new file.
func appendLine(path string, line any) error {
	data, err := json.Marshal(line)
	if err != nil {
		return err
	}
	f, err := openLog(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(data, '\n')); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// openLog opens a regular file that belongs to this user, and makes it if it is missing. It
// follows no symbolic link and does not wait for the reader of a FIFO: others may be able to
// write in the directory that the policy names.
func openLog(path string) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_APPEND | os.O_CREATE | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		f, err = os.OpenFile(path, flags, 0o600)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("log %q is not a regular file", path)
	}
	if err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
			err = fmt.Errorf("log %q belongs to user %d; remove it, or chown root %s", path, st.Uid, path)
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
