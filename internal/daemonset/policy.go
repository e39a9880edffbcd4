package daemonset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy"
)

// policyPath is where shims look for the policy: a link to ownDir's.
const policyPath = policyDir + "/" + policyFile

// syncPolicy puts the ConfigMap's policy on the host if it passes the check. The policy and its
// profiles are one new directory, so that they change at one moment: when the link does.
func (a *Agent) syncPolicy() error {
	files, err := a.readPolicy()
	if err != nil {
		return err
	}
	digest := digestOf(files)
	if digest == a.tried {
		return a.refused
	}
	err = checkKeys(files)
	if err == nil {
		err = a.checkSkipped(files)
	}
	if err != nil {
		a.tried, a.refused = digest, fmt.Errorf("the policy is refused, the last good one holds: %w", err)
		return a.refused
	}
	if err := a.mayLink(); err != nil {
		return err
	}
	rest, dropIns := split(files)
	if err := a.putDropIns(dropIns); err != nil {
		return err
	}
	if !a.inPlace(rest) {
		if err := a.put(digest, rest); err != nil {
			return err
		}
		a.say("policy %s is in place", digest[:12])
	}
	a.tried, a.refused = digest, nil
	return a.removeOlder()
}

// put writes files to a new directory, checks them there as a shim would, and points the
// policy's link at them.
func (a *Agent) put(digest string, files map[string][]byte) error {
	if err := os.MkdirAll(a.host(ownDir), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(a.host(ownDir), digest[:12]+"-")
	if err != nil {
		return err
	}
	err = os.Chmod(dir, 0o755)
	for _, name := range sortedKeys(files) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), files[name], 0o644)
		}
	}
	if err == nil {
		_, findings := policy.Loader{DropIns: a.host(policy.DropInDir)}.Load(filepath.Join(dir, policyFile))
		err = findings.Err()
	}
	if err == nil {
		err = a.link(filepath.Join(ownName, filepath.Base(dir), policyFile))
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return fmt.Errorf("the policy cannot be put in place, the last good one holds: %w", err)
	}
	return nil
}

// link makes policyPath a link to target, by a rename, so that there always is a policy.
func (a *Agent) link(target string) error {
	next := a.host(ownDir + "/.next")
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, next); err != nil {
		return err
	}
	return os.Rename(next, a.host(policyPath))
}

// linked returns the directory that the policy's link points to. It is empty if there is no
// policy, or one that is not the DaemonSet's.
func (a *Agent) linked() string {
	target, err := os.Readlink(a.host(policyPath))
	dir, file := filepath.Split(target)
	if err != nil || file != policyFile || filepath.Dir(filepath.Clean(dir)) != ownName {
		return ""
	}
	return a.host(filepath.Join(policyDir, dir))
}

// mayLink returns an error if the host has a policy that is not the DaemonSet's.
func (a *Agent) mayLink() error {
	if _, err := os.Lstat(a.host(policyPath)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if a.linked() != "" || slices.Contains(a.writtenBefore(), policyFile) {
		return nil
	}
	return fmt.Errorf("%s is the node's own and holds; the ConfigMap's policy is not put in its place: remove the file, or keep the DaemonSet off this node", policyPath)
}

// inPlace reports whether the policy's link points to these files.
func (a *Agent) inPlace(files map[string][]byte) bool {
	dir := a.linked()
	entries, err := os.ReadDir(dir)
	if dir == "" || err != nil || len(entries) != len(files) {
		return false
	}
	for name, data := range files {
		if there, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(there, data) {
			return false
		}
	}
	return true
}

func digestOf(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range sortedKeys(files) {
		fmt.Fprintf(h, "%q %d\n%s", name, len(files[name]), files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// removeOlder removes the policies that the link does not point to, except the newest of them,
// which a shim may be reading. It also removes what earlier versions of Batten wrote.
func (a *Agent) removeOlder() error {
	entries, err := os.ReadDir(a.host(ownDir))
	if err != nil {
		return err
	}
	type older struct {
		path string
		info fs.FileInfo
	}
	var all []older
	for _, e := range entries {
		path := a.host(filepath.Join(ownDir, e.Name()))
		if info, err := e.Info(); err == nil && path != a.linked() {
			all = append(all, older{path, info})
		}
	}
	slices.SortFunc(all, func(x, y older) int { return y.info.ModTime().Compare(x.info.ModTime()) })
	for i, o := range all {
		if i == 0 {
			continue
		}
		if err := os.RemoveAll(o.path); err != nil {
			return err
		}
	}
	return a.removeBefore()
}

// list names the files that earlier versions wrote into policyDir itself: any
// key of the ConfigMap was one.
const list = home + "/policy-files.json"

func (a *Agent) writtenBefore() (names []string) {
	data, err := os.ReadFile(a.host(list))
	if err == nil {
		_ = json.Unmarshal(data, &names)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return name != filepath.Base(name) || strings.HasPrefix(name, ".") || name == ownName
	})
}

// removeBefore removes the files that earlier versions wrote and listed.
func (a *Agent) removeBefore() error {
	for _, name := range a.writtenBefore() {
		if name == policyFile && a.linked() != "" {
			continue // the link has replaced it
		}
		err := os.Remove(a.host(filepath.Join(policyDir, name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil {
			a.say("%s/%s is removed: an earlier version of the DaemonSet wrote it", policyDir, name)
		}
	}
	if err := os.Remove(a.host(list)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// removePolicy removes the link and the policy that it points to. A policy of the node stays,
// and so do all files beside it.
func (a *Agent) removePolicy() error {
	if a.linked() != "" {
		if err := os.Remove(a.host(policyPath)); err != nil {
			return err
		}
	}
	if err := a.removeBefore(); err != nil {
		return err
	}
	if err := a.putDropIns(nil); err != nil {
		return err
	}
	if err := os.RemoveAll(a.host(ownDir)); err != nil {
		return err
	}
	_ = os.Remove(a.host(policyDir)) // unless somebody else's files are in it
	return nil
}
