package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/procfs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// askLimit is how long a daemon may take to answer.
const askLimit = 5 * time.Second

// askContainerd returns the handlers that a running containerd has, by its CRI plugin.
func askContainerd(proc string, p procfs.Process, config string) ([]install.Handler, error) {
	socket := procfs.Flag(p.Args(), "", "-a", "--address")
	if socket == "" {
		socket = install.Address(config)
	}
	if socket == "" {
		socket = "/run/containerd/containerd.sock"
	}
	connection, err := grpc.NewClient("passthrough:///containerd", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx, proc, p, socket) }))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	client := cri.NewRuntimeServiceClient(connection)
	version, err := client.Version(ctx, &cri.VersionRequest{})
	for err != nil && strings.Contains(err.Error(), "not initialized") { // it has just been started
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(100 * time.Millisecond):
		}
		version, err = client.Version(ctx, &cri.VersionRequest{})
	}
	if err != nil {
		return nil, err
	}
	answer, err := client.Status(ctx, &cri.StatusRequest{Verbose: true})
	if err != nil {
		return nil, err
	}
	return install.RunningContainerd(answer.Info["config"], version.RuntimeVersion)
}

// askDocker returns the runtimes that a running dockerd has.
func askDocker(proc string, p procfs.Process, hosts []string) ([]install.Handler, error) {
	socket := "/run/docker.sock"
	for _, host := range append(hosts, procfs.Flag(p.Args(), "", "-H", "--host")) {
		if path, ok := strings.CutPrefix(host, "unix://"); ok && path != "/var/run/docker.sock" {
			socket = path
		}
	}
	client := http.Client{Timeout: askLimit, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, proc, p, socket) },
	}}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://docker/info")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	if err != nil {
		return nil, err
	}
	return install.RunningDocker(text)
}

// dial connects to a socket of a process, as the process sees it. Its path may be longer
// than an address can be (unix(7)).
func dial(ctx context.Context, proc string, p procfs.Process, socket string) (net.Conn, error) {
	dir, err := os.Open(filepath.Join(proc, strconv.Itoa(p.Pid), "root", filepath.Dir(socket)))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var d net.Dialer
	return d.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(socket)))
}
