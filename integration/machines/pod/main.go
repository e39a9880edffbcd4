// Command pod runs one container in a pod of its own as the kubelet would, by
// containerd's CRI, and prints what it prints:
//
//	pod [--privileged] [--keep] [--name NAMESPACE/NAME] [--cgroup-parent SLICE] COMMAND...
//
// The command is one of busybox's. With --keep the pod goes on, and nothing is printed. With
// systemd's cgroups a pod needs a slice to be in.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// image is the one that the machine has.
const image = "example.org/busybox:1"

func main() {
	privileged := flag.Bool("privileged", false, "a privileged container")
	keep := flag.Bool("keep", false, "leave it running")
	name := flag.String("name", "", "the pod's namespace and name; default/unset or default/privileged if not given")
	parent := flag.String("cgroup-parent", "", "the cgroup that the pod's are in")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := run(ctx, *name, *privileged, *keep, *parent, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pod:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, privileged, keep bool, parent string, args []string) error {
	connection, err := grpc.NewClient("unix:///run/containerd/containerd.sock", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	runtime := cri.NewRuntimeServiceClient(connection)
	if name == "" {
		name = map[bool]string{true: "default/privileged", false: "default/unset"}[privileged]
	}
	namespace, name, _ := strings.Cut(name, "/")
	logs, err := os.MkdirTemp("", "pod")
	if err != nil {
		return err
	}
	defer os.RemoveAll(logs)
	sandbox := &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: name, Namespace: namespace, Uid: filepath.Base(logs)},
		LogDirectory: logs,
		Linux: &cri.LinuxPodSandboxConfig{
			CgroupParent: parent,
			SecurityContext: &cri.LinuxSandboxSecurityContext{
				NamespaceOptions: &cri.NamespaceOption{Network: cri.NamespaceMode_NODE},
				Privileged:       privileged,
			},
		},
	}
	pod, err := runtime.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: sandbox})
	if err != nil {
		return err
	}
	if !keep {
		defer remove(runtime, pod.PodSandboxId)
	}
	made, err := runtime.CreateContainer(ctx, &cri.CreateContainerRequest{
		PodSandboxId: pod.PodSandboxId, SandboxConfig: sandbox,
		Config: &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: "main"},
			Image:    &cri.ImageSpec{Image: image}, Args: args, LogPath: "main.log",
			Linux: &cri.LinuxContainerConfig{SecurityContext: &cri.LinuxContainerSecurityContext{
				NamespaceOptions: sandbox.Linux.SecurityContext.NamespaceOptions,
				Privileged:       privileged,
			}},
		},
	})
	if err != nil {
		return err
	}
	if _, err := runtime.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: made.ContainerId}); err != nil || keep {
		return err
	}
	return wait(ctx, runtime, made.ContainerId, filepath.Join(logs, "main.log"))
}

// wait prints the container's log once it has ended.
func wait(ctx context.Context, runtime cri.RuntimeServiceClient, id, log string) error {
	for {
		s, err := runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id})
		if err != nil {
			return err
		}
		if s.Status.State == cri.ContainerState_CONTAINER_EXITED {
			return printLog(log, s.Status.ExitCode)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// printLog prints a log without CRI's time, stream and tag in front of each line.
func printLog(path string, status int32) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.SplitN(line, " ", 4); len(fields) == 4 {
			fmt.Print(fields[3])
		}
	}
	if status != 0 {
		return fmt.Errorf("the container ended with status %d", status)
	}
	return nil
}

func remove(runtime cri.RuntimeServiceClient, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, _ = runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id})
	_, _ = runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
}
