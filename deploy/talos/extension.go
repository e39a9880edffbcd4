package talos

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/deploy/image"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy"
)

// Paths on the node.
const (
	policyDir = "/usr/local/etc/batten"
	shimPath  = "/usr/local/bin/" + names.Shim
	partPath  = "/etc/cri/conf.d/10-batten.part"
)

const plugin = `plugins."io.containerd.cri.v1.runtime".containerd`

// Part returns the part of the CRI plugin's configuration: the handler batten, like Talos's
// own runc, as the node's default or not.
func Part(isDefault bool) string {
	var b strings.Builder
	if isDefault {
		fmt.Fprintf(&b, "[%s]\n  default_runtime_name = \"batten\"\n\n", plugin)
	}
	fmt.Fprintf(&b, "[%s.runtimes.batten]\n  runtime_type = %q\n  runtime_path = %q\n  base_runtime_spec = \"/etc/cri/conf.d/base-spec.json\"\n", plugin, names.RuntimeType, shimPath)
	fmt.Fprintf(&b, "\n[%s.runtimes.batten.options]\n  Policy = %q\n", plugin, policyDir+"/policy.yaml")
	return b.String()
}

// manifest is what Talos asks of an extension. Parts are merged since Talos 1.8, whose
// containerd has a configuration of version 3.
const manifest = `version: v1alpha1
metadata:
  name: batten
  version: %q
  author: Batten
  description: |
    This system extension provides Batten using containerd's runtime handler.
  compatibility:
    talos:
      version: ">= v1.8.0"
`

// Files returns the files of the extension: with the shim in a file, and the policy in a
// directory that has policy.yaml, and profiles beside it or one directory below. A policy with
// an error is refused: on the node nobody could repair it, and no container would start.
func Files(shim, version, dir string, isDefault bool) ([]image.File, error) {
	if _, err := os.Stat(filepath.Join(dir, "policy.yaml")); err != nil {
		return nil, err
	}
	own := policy.Loader{AnyOwner: true, DropIns: filepath.Join(dir, "policy.d")} // which is not packed
	if _, findings := own.Load(filepath.Join(dir, "policy.yaml")); findings.Err() != nil {
		return nil, findings.Err()
	}
	files := []image.File{
		{Name: "manifest.yaml", Text: fmt.Sprintf(manifest, version)},
		{Name: path.Join("rootfs", shimPath), Source: shim},
		{Name: path.Join("rootfs", partPath), Text: Part(isDefault)},
	}
	var found []string
	for _, pattern := range []string{"policy.yaml", "*.json", "*/*.json"} {
		more, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err == nil && len(text) == 0 {
			err = errors.New(file + " is empty")
		}
		if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return nil, err
		}
		files = append(files, image.File{Name: path.Join("rootfs", policyDir, filepath.ToSlash(name)), Text: string(text)})
	}
	return files, nil
}
