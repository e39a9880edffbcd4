package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/lint"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/cap"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	corev1 "k8s.io/api/core/v1"
)

// OnNode is what explain needs to know of the node besides its policy.
type OnNode struct {
	SeccompRoot, Containerd string
	SeccompDefault          bool
	// Engine reads the profiles; containerd where it is empty.
	Engine reader.Engine
}

// Brings is what a container's linux.seccomp will hold when it goes through Batten.
type Brings struct {
	Words string
	// Filtered is set where there will be a filter, brought is the filter if it
	// is at hand.
	Filtered bool
	Brought  *specs.LinuxSeccomp
	// Default names whose default profile Brought stands for; empty for another profile.
	Default string
	Note    string
	// Fails says why the container does not start, whatever the policy decides; Stops why
	// it does not if it keeps the profile that it brings.
	Fails, Stops string
}

// theEngine stands for the engine of the node, of which the version is not known.
const theEngine = "the engine"

// AsksSandbox says what the kubelet asks for a pod's pause container: RuntimeDefault
// whatever the pod says, which containerd and CRI-O ignore where a container of the pod is
// privileged (generatePodSandboxLinuxConfig in pkg/kubelet/kuberuntime).
func AsksSandbox(pod *manifest.Pod) Brings {
	if slices.ContainsFunc(pod.Containers(), manifest.Container.Privileged) {
		return Brings{Words: "nothing (privileged)"}
	}
	own := profile.RuntimeDefault(Bounding(manifest.Container{}))
	return Brings{Words: "RuntimeDefault", Filtered: true, Brought: &own, Default: theEngine}
}

// Asks says what the kubelet and the CRI plugin make of a container's fields.
func (n OnNode) Asks(pod *manifest.Pod, c manifest.Container) Brings {
	s, _ := pod.Seccomp(c)
	runtimeDefault := func(words string) Brings {
		own := profile.RuntimeDefault(Bounding(c))
		return Brings{Words: words, Filtered: true, Brought: &own, Default: theEngine}
	}
	switch {
	case c.Privileged() && s != nil && s.Type != corev1.SeccompProfileTypeUnconfined:
		return Brings{Words: "nothing (privileged)", Note: fmt.Sprintf("it is privileged, so its %s is ignored", s.Type)}
	case c.Privileged():
		return Brings{Words: "nothing (privileged)"}
	case s == nil && n.SeccompDefault:
		return runtimeDefault("RuntimeDefault (the kubelet's seccompDefault)")
	case s == nil:
		return Brings{Words: "nothing"}
	case s.Type == corev1.SeccompProfileTypeUnconfined:
		return Brings{Words: "nothing (Unconfined)"}
	case s.Type == corev1.SeccompProfileTypeRuntimeDefault:
		return runtimeDefault(string(s.Type))
	case s.Type != corev1.SeccompProfileTypeLocalhost || s.LocalhostProfile == nil:
		return Brings{Words: string(s.Type), Filtered: true, Fails: "the API server refuses the pod; batten lint says why"}
	}
	return n.localhost(*s.LocalhostProfile, Bounding(c))
}

// localhost reads a profile of the node's.
func (n OnNode) localhost(name string, bounding []string) Brings {
	a := Brings{Words: "Localhost " + name, Filtered: true}
	data, err := os.ReadFile(filepath.Join(n.SeccompRoot, name))
	switch _, errRoot := os.Stat(n.SeccompRoot); {
	case name == "":
		a.Fails = "localhostProfile is empty: CreateContainerConfigError, localhostProfile must be set"
		return a
	case path.IsAbs(name) || slices.Contains(strings.Split(name, "/"), ".."):
		a.Fails = "the API server refuses the pod: localhostProfile is relative to the kubelet's seccomp root and does not leave it"
		return a
	case errors.Is(err, fs.ErrNotExist) && errRoot == nil:
		a.Fails = fmt.Sprintf("there is no %s: CreateContainerError, cannot load seccomp profile", filepath.Join(n.SeccompRoot, name))
		return a
	case err != nil:
		a.Note = fmt.Sprintf("its profile cannot be read here: %v", err)
		return a
	}
	engine := cmp.Or(n.Engine, reader.Containerd)
	own, findings := engine.Read(name, data)
	var said []string
	for _, f := range findings {
		if !f.Warning || f.ID == "dropped" {
			said = append(said, f.Message)
		}
	}
	if len(said) > 0 {
		a.Note = fmt.Sprintf("its profile, as %s reads it: %s", engine, strings.Join(said, "; "))
	}
	a.stopped(lint.CheckProfile(name, data, engine))
	switch {
	case own == nil:
	case own.Empty():
		a.Filtered, a.Note = false, "its profile allows everything, which is no filter"
	default:
		s := own.Resolve(profile.Target{Bounding: bounding, KernelRelease: kernel.Release()})
		a.Brought = &s
	}
	return a
}

// stopped takes over why no container starts with the profile.
func (a *Brings) stopped(_ *profile.Profile, findings document.Findings) {
	for _, f := range findings {
		if !slices.Contains(manifest.StopsContainers, f.ID) {
			continue
		}
		if why := "its profile: " + f.Message; f.ID == "not-read" {
			a.Fails, a.Note = why, "" // containerd reads it before Batten sees the container
		} else if a.Stops == "" {
			a.Stops = why
		}
	}
}

// Bounding is the bounding set that CRI gives a container: the defaults, and what
// is added and dropped (containerd's WithCapabilities in internal/cri/opts).
func Bounding(c manifest.Container) []string {
	if c.Privileged() {
		return cap.Known()
	}
	var opts []oci.SpecOpts
	if s := c.Security; s != nil && s.Capabilities != nil {
		add, drop := capabilityNames(s.Capabilities.Add), capabilityNames(s.Capabilities.Drop)
		if slices.Contains(add, "CAP_ALL") {
			opts = append(opts, oci.WithCapabilities(cap.Known()))
		}
		if slices.Contains(drop, "CAP_ALL") {
			opts = append(opts, oci.WithCapabilities(nil))
		}
		opts = append(opts, oci.WithAddedCapabilities(add), oci.WithDroppedCapabilities(drop))
	}
	ctx := namespaces.WithNamespace(context.Background(), names.CRINamespace)
	spec, err := oci.GenerateSpec(ctx, nil, &containers.Container{ID: "pod"}, opts...)
	if err != nil || spec.Process == nil || spec.Process.Capabilities == nil {
		return nil
	}
	return slices.DeleteFunc(spec.Process.Capabilities.Bounding, func(c string) bool { return c == "CAP_ALL" })
}

func capabilityNames(caps []corev1.Capability) (out []string) {
	for _, c := range caps {
		out = append(out, "CAP_"+strings.TrimPrefix(strings.ToUpper(string(c)), "CAP_"))
	}
	return out
}
