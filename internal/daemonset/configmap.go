package daemonset

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// policyFile is the key of the policy. Other keys are profiles, and drop-ins (dropins.go).
const policyFile = "policy.yaml"

// logPrefix is how the path of every log in a ConfigMap's policy must begin. Root appends to
// the log, and programs of root may read other files of the node.
const logPrefix = "/var/log/batten"

// readPolicy returns what the ConfigMap holds, by key.
func (a *Agent) readPolicy() (map[string][]byte, error) {
	dir, err := a.Policy.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, name := range entries {
		if strings.HasPrefix(name, "..") { // the kubelet's own
			continue
		}
		if files[name], err = a.readKey(name); err != nil {
			return nil, fmt.Errorf("the ConfigMap's key %q: %w", name, err)
		}
	}
	return files, nil
}

func (a *Agent) readKey(name string) ([]byte, error) {
	f, err := a.Policy.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, policy.MaxSize+1))
	if err == nil && len(data) > policy.MaxSize {
		err = fmt.Errorf("is larger than the %d bytes that Batten reads", policy.MaxSize)
	}
	return data, err
}

// checkKeys returns an error unless the ConfigMap holds a policy and its profiles and nothing
// else. Whoever can edit the ConfigMap chooses names and contents of files that root reads, so
// no other file may reach the node.
func checkKeys(files map[string][]byte) error {
	var errs []error
	for _, name := range sortedKeys(files) {
		switch {
		case name == policyFile:
		case isDropIn(name):
			errs = append(errs, checkDropIn(name, files[name]))
		case path.Ext(name) != ".json" || strings.HasPrefix(name, "."):
			errs = append(errs, fmt.Errorf("the ConfigMap's key %q is neither %s nor a profile (*.json) nor a drop-in (*.yaml): remove it; settings of the node, such as runc.toml, are not the ConfigMap's", name, policyFile))
		default:
			if _, findings := profile.Parse(name, files[name]); findings.Err() != nil {
				errs = append(errs, fmt.Errorf("the ConfigMap's key %q is not a profile: %w", name, findings.Err()))
			}
		}
	}
	if _, ok := files[policyFile]; !ok {
		errs = append(errs, fmt.Errorf("the ConfigMap has no key %s", policyFile))
	}
	if len(errs) == 0 {
		errs = append(errs, checkPolicy(files))
	}
	return errors.Join(errs...)
}

// checkPolicy returns an error unless the policy needs no other file of the node: all its
// profiles are keys of the ConfigMap, and its log begins with logPrefix.
func checkPolicy(files map[string][]byte) error {
	p, findings := parse(files)
	if err := findings.Err(); err != nil {
		return err
	}
	if p.Log != "" && !strings.HasPrefix(path.Clean(p.Log), logPrefix) {
		findings = append(findings, document.Finding{
			What: "policy", File: p.Path,
			Message: fmt.Sprintf("log: %q is not %s*; root appends to it, and a ConfigMap's policy may name no other file of the node", p.Log, logPrefix),
		})
	}
	return append(findings, made(p)...).Err()
}

// parse reads the ConfigMap's policy as shims will, with its other keys as the profiles' files.
func parse(files map[string][]byte) (*policy.Policy, document.Findings) {
	read := func(file string) (string, []byte, error) {
		data, ok := files[file]
		if !ok || file == policyFile {
			return file, nil, fmt.Errorf("profile %q is not a key of the ConfigMap; add it there, and name it without a directory", file)
		}
		return path.Join(policyDir, file), data, nil
	}
	return policy.Parse(path.Join(policyDir, policyFile), files[policyFile], read)
}

// made returns what batten check finds of a policy that could be read, and for which containers
// would be refused.
func made(p *policy.Policy) document.Findings {
	unmade, _ := p.Made(policy.Machine{})
	return append(unmade, p.HighBits()...)
}

func sortedKeys(files map[string][]byte) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Check returns an error unless the host has the ConfigMap's policy. root is the host's root
// directory. The readiness probe calls Check.
func (a *Agent) Check(root string) error {
	a.root = root
	files, err := a.readPolicy()
	if err == nil {
		err = checkKeys(files)
	}
	if err == nil {
		err = a.mayLink()
	}
	rest, dropIns := split(files)
	if err == nil && !(a.inPlace(rest) && a.haveDropIns(dropIns)) {
		err = fmt.Errorf("the ConfigMap's policy is not in place on %s yet", os.Getenv("NODE_NAME"))
	}
	return err
}
