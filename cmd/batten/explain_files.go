package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/batten-runtime/batten/internal/explain"
	"github.com/batten-runtime/batten/internal/lint"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/spf13/cobra"
)

// explainFiles answers for files and directories: for each config.json, and then for the
// pods of all manifests together, since a RuntimeClass may be in another file.
func (q *question) explainFiles(cmd *cobra.Command, args []string) error {
	q.records = names.Records
	found, err := explain.Files(args)
	if err != nil {
		return hinted{err, nameFiles}
	}
	q.several = len(found) > 1
	var all manifests
	refused := false
	for _, name := range found {
		spec, err := all.add(cmd, name, q.several)
		if err != nil {
			return err
		}
		if spec == nil {
			continue
		}
		if q.several {
			fmt.Fprintf(cmd.OutOrStdout(), "%s:\n", name)
		}
		if err := q.explain(cmd, name, spec); err != nil && !(q.several && errors.Is(err, errNo)) {
			return err
		} else if err != nil {
			refused = true
		}
		if q.several {
			fmt.Fprintln(cmd.OutOrStdout())
		}
	}
	if len(all.pods) > 0 {
		if err := q.explainPods(cmd, all.pods, all.objects); err != nil {
			return err
		}
	}
	if len(all.pods) == 0 && all.specs == 0 {
		return hinted{fmt.Errorf("none of %s makes a pod", plural(len(found), "file")), nameFiles}
	}
	if refused || all.broken {
		return errNo
	}
	return nil
}

const nameFiles = "name a bundle's config.json, a manifest, or - for standard input"

// manifests are what several files make.
type manifests struct {
	pods    []*manifest.Pod
	objects []manifest.Object
	specs   int  // files that are a config.json
	broken  bool // a file could not be read as what it is
}

// add reads a file, and returns its bytes where it is a config.json. Of several files one
// that makes no pod, or that cannot be read, is named on standard error.
func (m *manifests) add(cmd *cobra.Command, name string, several bool) (spec []byte, err error) {
	data, err := readAny(name, cmd.InOrStdin())
	if err != nil {
		return nil, hinted{err, nameFiles}
	}
	objects, err := manifest.Parse(name, data)
	if !slices.ContainsFunc(objects, manifest.Object.IsKubernetes) {
		return m.noManifest(cmd, file{name, data}, err, several)
	}
	var pods []*manifest.Pod
	for _, o := range objects {
		made, why, err := o.Pods()
		switch {
		case err != nil && several:
			m.notLookedAt(cmd, err)
		case err != nil:
			return nil, hinted{err, "batten lint says more"}
		}
		if why != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: %s: %s: %s\n", name, o, why)
		}
		pods = append(pods, made...)
	}
	if len(pods) == 0 && !several {
		return nil, hinted{fmt.Errorf("manifest %q makes no pod", name), "name a Pod, a Deployment or the like, or a bundle's config.json"}
	}
	m.pods, m.objects = append(m.pods, pods...), append(m.objects, objects...)
	return nil, nil
}

// file is a file with its bytes.
type file struct {
	name string
	data []byte
}

// noManifest returns the bytes of a file that is no manifest and may be a config.json.
// Unread is why it cannot be read as YAML, nil where it can.
func (m *manifests) noManifest(cmd *cobra.Command, f file, unread error, several bool) (spec []byte, err error) {
	isYAML := slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(f.name))
	line := lint.Unrendered(f.data)
	switch what := f.neither(isYAML); {
	case unread != nil && line > 0:
		err = hinted{fmt.Errorf("manifest %q:%d: a template that is not rendered", f.name, line), "render it first, such as: helm template CHART | batten explain -"}
	case unread != nil && isYAML:
		err = hinted{unread, "batten lint says more"}
	case several && filepath.Base(f.name) != "config.json":
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %s is no manifest: not looked at\n", f.name)
		return nil, nil
	case what != "":
		return nil, hinted{fmt.Errorf("%q %s", f.name, what), nameFiles}
	default:
		m.specs++
		return f.data, nil
	}
	if several {
		m.notLookedAt(cmd, err)
		return nil, nil
	}
	return nil, err
}

// neither says what a file is that is no manifest and no config.json; nothing where it may
// be a config.json.
func (f file) neither(isYAML bool) string {
	switch sort := lint.SortOf(f.data); {
	case sort == lint.Policy:
		return "is a node policy, for --policy, and no manifest"
	case sort == lint.Profile && bytes.Contains(f.data, []byte("defaultAction")):
		return "is a seccomp profile, which batten lint judges, and no manifest"
	case sort == lint.Compose, sort == lint.Schema:
		return fmt.Sprintf("is %s, and no manifest", sort)
	case isYAML && sort == lint.Empty:
		return "is empty"
	case isYAML && sort != lint.Spec:
		return "is no manifest and no config.json"
	}
	return ""
}

func (m *manifests) notLookedAt(cmd *cobra.Command, err error) {
	fmt.Fprintf(cmd.ErrOrStderr(), "batten: not looked at: %v\n", err)
	m.broken = true
}
