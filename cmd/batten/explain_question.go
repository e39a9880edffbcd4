package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/explain"
	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile/reader"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// question is the container that explain is asked about: a config.json, or
// match fields by themselves, which also override what a config.json says.
type question struct {
	policy      string
	draft, show bool
	asInstalled bool
	several     bool            // files are explained, so that each answer names its own
	given       map[string]bool // flags
	records     string          // directory of the records
	note        string          // what is unknown of a config.json
	closed      []record.Closed // the blocks that a container got while it ran

	namespace, runtime                            string
	podNamespace, podName, container, image, kind string
	capabilities, annotations, mounts, namespaces []string
	filtered                                      bool
	asked                                         *specs.LinuxSeccomp // what a config.json brings
	node                                          explain.OnNode
	oci                                           *ociRuntime
	engine                                        *engineFlag
}

// machine is this one, with the runtime that makes the container.
func (q *question) machine() (policy.Machine, error) {
	m := machine()
	r, ok, err := q.oci.find()
	if err == nil && ok {
		m.Runtime, m.Calls = r, kernel.Calls("")
	}
	return m, err
}

// request is the question as the policy sees it.
func (q *question) request(p *policy.Policy, name string, data []byte) (policy.Request, error) {
	r := policy.Request{ContainerdNamespace: q.containerdNamespace(), Engine: q.believed(), Runtime: q.runtimeType()}
	if data != nil {
		s, err := spec.Parse(data)
		if err != nil {
			return r, hinted{fmt.Errorf("spec %q:%w", name, err), "the file is a bundle's config.json"}
		}
		dir := bundleOf(name)
		bundle := explain.LookAt(dir, q.records)
		r = enforce.Request(p, q.source(dir, bundle), s)
		if q.asked, r.Filtered, q.note, err = bundle.Asked(s); err != nil {
			return r, fmt.Errorf("spec %q: linux.seccomp: %w", name, err)
		}
		if bundle.Record != nil {
			r.Default, q.closed = bundle.Record.Default, bundle.Record.Closed
		}
		if bundle.Known && bundle.Record == nil && q.note == "" && effectiveUser() == 0 {
			q.note = "Batten has no record of this container: it is gone, or it bypasses Batten, and this is what the policy would do"
		}
	}
	r.Filtered = r.Filtered || q.filtered
	r.Bounding = append(r.Bounding, q.capabilities...)
	r.Mounts = append(r.Mounts, q.mounts...)
	for _, n := range q.namespaces {
		if !slices.Contains(policy.HostNamespaces, n) {
			return r, usageError{fmt.Errorf("--shares %q is none of %s", n, strings.Join(policy.HostNamespaces, ", "))}
		}
	}
	r.Namespaces = append(r.Namespaces, q.namespaces...)
	if r.Annotations == nil {
		r.Annotations = make(map[string]string)
	}
	if q.kind != policy.Container && q.kind != policy.Sandbox {
		return r, usageError{fmt.Errorf("--kind %q is neither %s nor %s", q.kind, policy.Sandbox, policy.Container)}
	}
	for _, a := range q.annotations {
		key, value, ok := strings.Cut(a, "=")
		if !ok {
			return r, usageError{fmt.Errorf("--annotation %q is not key=value", a)}
		}
		r.Annotations[key] = value
	}
	if r.Runtime == names.RuntimeType || r.Runtime == names.Wrapper {
		r.Listener = filepath.Join(names.Records, "explained.sock") // each container can have a listener
	}
	return r, q.identify(&r)
}

// bundleOf returns the directory of a config.json, empty for standard input.
func bundleOf(name string) string {
	dir, err := filepath.Abs(filepath.Dir(name))
	if name == "-" || err != nil {
		return ""
	}
	return dir
}

// starts returns the engine that starts the containers that are asked about: containerd, or
// CRI-O. Other engines that --engine can name have no pods.
func (q *question) starts() string {
	if q.engine.name == string(reader.CRIO) {
		return names.CRIO
	}
	return string(reader.Containerd)
}

// believed returns the engine whose annotations are believed outside of containerd's
// namespaces; empty for none.
func (q *question) believed() string {
	if q.starts() == names.CRIO {
		return names.CRIO
	}
	return ""
}

// containerdNamespace returns the flag's, or the one that the engine has.
func (q *question) containerdNamespace() string {
	if q.believed() != "" && !q.given["containerd-namespace"] {
		return ""
	}
	return q.namespace
}

// runtimeType returns the flag's, or what the engine can call.
func (q *question) runtimeType() string {
	if q.believed() != "" && !q.given["runtime"] {
		return names.Wrapper
	}
	return q.runtime
}

// source is where a container comes from: what the flags say and, without them, what the
// bundle's path and its record say.
func (q *question) source(dir string, b explain.Bundle) enforce.Source {
	from := enforce.Source{ContainerdNamespace: q.containerdNamespace(), Engine: q.believed(), Runtime: q.runtimeType(), Bundle: dir}
	if b.Known && !q.given["containerd-namespace"] {
		from.ContainerdNamespace = b.ContainerdNamespace
	}
	if b.Known && !q.given["engine"] {
		from.Engine = b.Engine
	}
	if b.Known && !q.given["runtime"] {
		from.Runtime = b.Runtime
	}
	return from
}

// in names the file of an answer, where there are several.
func (q *question) in(file string) string {
	if !q.several {
		return ""
	}
	return file + ": "
}

// identify puts the pod's names where CRI would.
func (q *question) identify(r *policy.Request) error {
	if q.podNamespace+q.podName+q.container+q.image == "" && q.kind == policy.Container {
		return nil
	}
	if r.ContainerdNamespace != names.CRINamespace && r.Engine != names.CRIO {
		return usageError{fmt.Errorf("pods are in the containerd namespace k8s.io, not %q, or those of --engine %s", r.ContainerdNamespace, names.CRIO)}
	}
	policy.Identity{
		Kind: q.kind, PodNamespace: q.podNamespace, PodName: q.podName, Container: q.container, Image: q.image,
	}.Annotate(r.Engine, r.Annotations)
	return nil
}

// readAny reads a file, or stdin for "-".
func readAny(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(stdin, manifest.MaxSize+1))
	}
	return os.ReadFile(path)
}
