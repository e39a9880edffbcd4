package node

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Pod is a pod sandbox as the kubelet would have it made, in the host's
// network.
type Pod struct {
	ID, Namespace, Name string

	node    *Node
	config  *cri.PodSandboxConfig
	runtime cri.RuntimeServiceClient
}

// RunPod runs a sandbox of the named handler; "" is the default one.
func (n *Node) RunPod(handler, namespace, name string, annotations map[string]string) (*Pod, error) {
	return n.RunPodOf(handler, namespace, name, annotations, func(*cri.PodSandboxConfig) {})
}

// RunPodOf is RunPod with a sandbox that change has changed.
func (n *Node) RunPodOf(handler, namespace, name string, annotations map[string]string, change func(*cri.PodSandboxConfig)) (*Pod, error) {
	connection, err := grpc.NewClient("unix://"+n.Socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	n.t.Cleanup(func() { connection.Close() })
	p := &Pod{
		Namespace: namespace, Name: name, node: n, runtime: cri.NewRuntimeServiceClient(connection),
		config: &cri.PodSandboxConfig{
			Metadata:     &cri.PodSandboxMetadata{Name: name, Namespace: namespace, Uid: fmt.Sprintf("uid-%d", serial.Add(1))},
			LogDirectory: filepath.Join(n.Dir, "logs"),
			Annotations:  annotations,
			Linux: &cri.LinuxPodSandboxConfig{
				CgroupParent: "/" + filepath.Base(n.Dir),
				SecurityContext: &cri.LinuxSandboxSecurityContext{
					NamespaceOptions: &cri.NamespaceOption{Network: cri.NamespaceMode_NODE},
					Privileged:       true, // so that containers may be
				},
			},
		},
	}
	if err := p.ready(); err != nil {
		return nil, err
	}
	change(p.config)
	response, err := p.runtime.RunPodSandbox(timeout(), &cri.RunPodSandboxRequest{Config: p.config, RuntimeHandler: handler})
	if err != nil {
		return nil, err
	}
	p.ID = response.PodSandboxId
	return p, nil
}

// ready waits until the CRI plugin answers: on a busy machine it is up later than
// the daemon's socket.
func (p *Pod) ready() error {
	for ctx := timeout(); ; {
		_, err := p.runtime.Status(ctx, &cri.StatusRequest{})
		if err == nil || !strings.Contains(err.Error(), "not initialized") {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// timeout bounds one call; tests do not outlive their calls' contexts.
func timeout() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// Run starts a container of the pod that waits, or runs args.
func (p *Pod) Run(name string, security *cri.LinuxContainerSecurityContext, args ...string) (id string, err error) {
	return p.RunWith(name, security, nil, args...)
}

// RunWith is Run with mounts of the node's directories.
func (p *Pod) RunWith(name string, security *cri.LinuxContainerSecurityContext, mounts []*cri.Mount, args ...string) (id string, err error) {
	if len(args) == 0 {
		args = []string{"/probe", "pause"}
	}
	if security == nil {
		security = &cri.LinuxContainerSecurityContext{}
	}
	security.NamespaceOptions = p.config.Linux.SecurityContext.NamespaceOptions
	created, err := p.runtime.CreateContainer(timeout(), &cri.CreateContainerRequest{
		PodSandboxId: p.ID, SandboxConfig: p.config,
		Config: &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: name, Attempt: uint32(serial.Add(1))},
			Image:    &cri.ImageSpec{Image: Image},
			Command:  args,
			Mounts:   mounts,
			Linux:    &cri.LinuxContainerConfig{SecurityContext: security},
		},
	})
	if err != nil {
		return "", err
	}
	_, err = p.runtime.StartContainer(timeout(), &cri.StartContainerRequest{ContainerId: created.ContainerId})
	return created.ContainerId, err
}

// Exec runs a command in a container, as an exec probe does.
func (p *Pod) Exec(id string, args ...string) (string, error) {
	response, err := p.runtime.ExecSync(timeout(), &cri.ExecSyncRequest{ContainerId: id, Cmd: args, Timeout: 30})
	if err != nil {
		return "", err
	}
	return string(response.Stdout), nil
}

// ExitStatus waits for a container to end.
func (p *Pod) ExitStatus(id string) int32 {
	p.node.t.Helper()
	var status *cri.ContainerStatus
	p.node.Eventually(20*time.Second, "the end of "+id, func() error {
		response, err := p.runtime.ContainerStatus(timeout(), &cri.ContainerStatusRequest{ContainerId: id})
		if err == nil {
			status = response.Status
			if status.State != cri.ContainerState_CONTAINER_EXITED {
				err = fmt.Errorf("it is %s", status.State)
			}
		}
		return err
	})
	return status.ExitCode
}

// Pid is a container's first process, or, without an id, the sandbox's.
func (p *Pod) Pid(id string) (int, error) {
	var info map[string]string
	if id == "" {
		response, err := p.runtime.PodSandboxStatus(timeout(), &cri.PodSandboxStatusRequest{PodSandboxId: p.ID, Verbose: true})
		if err != nil {
			return 0, err
		}
		info = response.Info
	} else {
		response, err := p.runtime.ContainerStatus(timeout(), &cri.ContainerStatusRequest{ContainerId: id, Verbose: true})
		if err != nil {
			return 0, err
		}
		info = response.Info
	}
	var process struct{ Pid int }
	if err := json.Unmarshal([]byte(info["info"]), &process); err != nil || process.Pid == 0 {
		return 0, fmt.Errorf("no pid in %v (%w)", info, err)
	}
	return process.Pid, nil
}

// Seccomp is what /proc says of a container's first process, or, without an
// id, of the sandbox's.
func (p *Pod) Seccomp(id string) (mode, filters string) {
	p.node.t.Helper()
	pid, err := p.Pid(id)
	if err != nil {
		p.node.t.Fatal(err)
	}
	p.node.WaitForExecOf(pid)
	return Seccomp(pid)
}

// Drop is Remove where it may fail, as while the daemon is away.
func (p *Pod) Drop() {
	_, _ = p.runtime.StopPodSandbox(timeout(), &cri.StopPodSandboxRequest{PodSandboxId: p.ID})
	_, _ = p.runtime.RemovePodSandbox(timeout(), &cri.RemovePodSandboxRequest{PodSandboxId: p.ID})
}

// Remove stops and removes the pod and its containers.
func (p *Pod) Remove() {
	p.node.t.Helper()
	if _, err := p.runtime.StopPodSandbox(timeout(), &cri.StopPodSandboxRequest{PodSandboxId: p.ID}); err != nil {
		p.node.t.Errorf("stopping pod %s: %v", p.Name, err)
	}
	if _, err := p.runtime.RemovePodSandbox(timeout(), &cri.RemovePodSandboxRequest{PodSandboxId: p.ID}); err != nil {
		p.node.t.Errorf("removing pod %s: %v", p.Name, err)
	}
}
