package shim

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/names"
	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// This file serves daemons older than containerd 2.3. They differ from newer ones in two
// things: what "start" reads and prints, and the name of the task service.

// startFlags are the flags of containerd's shim command line that "start"
// needs. Newer daemons pass the same flags beside their bootstrap message.
type startFlags struct {
	id, namespace, address, bundle string
	debug                          bool
	action                         string
}

// parseStartFlags reads args as pkg/shim of containerd does; other flags are
// accepted and ignored here, so that the stock parser has the last word.
func parseStartFlags(args []string) (startFlags, error) {
	var f startFlags
	fs := flag.NewFlagSet(names.Shim, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&f.debug, "debug", false, "")
	fs.StringVar(&f.namespace, "namespace", "", "")
	fs.StringVar(&f.id, "id", "", "")
	fs.StringVar(&f.address, "address", "", "")
	fs.StringVar(&f.bundle, "bundle", "", "")
	for _, name := range []string{"socket", "debug-socket", "publish-binary"} {
		fs.String(name, "", "")
	}
	for _, name := range []string{"v", "version", "info"} {
		fs.Bool(name, false, "")
	}
	if err := fs.Parse(args); err != nil {
		return startFlags{}, err
	}
	f.action = fs.Arg(0)
	return f, nil
}

// isBootstrap reports whether input is the bootstrap message of containerd 2.3 and later.
// Runtime options, which older daemons send, may decode as such a message, too; so the
// container's id and namespace in the message must agree with the flags.
func isBootstrap(input []byte, f startFlags) bool {
	var params bootapi.BootstrapParams
	return len(input) > 0 && proto.Unmarshal(input, &params) == nil &&
		params.InstanceID == f.id && params.Namespace == f.namespace
}

// startLegacy does "start" for containerd 1.6 to 2.2: input is empty or a
// google.protobuf.Any of runtime options, and the reply goes to stdout in the
// form that the daemon's MAX_SHIM_VERSION asks for. The address is also left
// in the bundle, where containerd 1.6 and 1.7 look for it after a restart.
func startLegacy(ctx context.Context, s containerdshim.Shim, f startFlags, input []byte, maxVersion string, stdout io.Writer) error {
	if f.namespace == "" {
		return fmt.Errorf("start: -namespace is empty")
	}
	params := &bootapi.BootstrapParams{
		InstanceID:             f.id,
		Namespace:              f.namespace,
		ContainerdGrpcAddress:  f.address,
		ContainerdTtrpcAddress: os.Getenv("TTRPC_ADDRESS"),
	}
	if f.debug {
		params.LogLevel = bootapi.LogLevel_LOG_LEVEL_DEBUG
	}
	if len(input) > 0 {
		var options anypb.Any
		if err := proto.Unmarshal(input, &options); err != nil {
			return fmt.Errorf("start: runtime options on standard input: %w", err)
		}
		if err := params.AddExtension(&options); err != nil {
			return fmt.Errorf("start: runtime options on standard input: %w", err)
		}
	}
	result, err := s.Start(namespaces.WithNamespace(ctx, f.namespace), params)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(f.bundle, "address"), []byte(result.Address), 0o600); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	reply, err := legacyReply(result, maxVersion)
	if err != nil {
		return err
	}
	_, err = stdout.Write(reply)
	return err
}

// legacyReply returns the answer to "start": the bare address for containerd 1.6,
// which sets no MAX_SHIM_VERSION, and JSON with version 2 for 1.7 to 2.2.
// Those daemons reach the shim through the task v2 service below. In containerd 2.0 to 2.2
// version 2 has two more effects (core/runtime/v2/shim.go). The daemon does not call the
// sandbox API, which containerd's runc shim does not have either. And it calls Shutdown after
// each Delete, which the shim declines while it has containers. So nothing is lost. The shim
// cannot distinguish these daemons from 1.7, which refuses version 3.
func legacyReply(result *bootapi.BootstrapResult, maxVersion string) ([]byte, error) {
	if maxVersion == "" {
		return []byte(result.Address), nil
	}
	return json.Marshal(struct {
		Version  int    `json:"version"`
		Address  string `json:"address"`
		Protocol string `json:"protocol"`
	}{2, result.Address, result.Protocol})
}

// registerTaskV2 serves the task API a second time under its older name. The
// two .proto files differ only in their package name, so the messages of v3
// are those of v2 on the wire.
func registerTaskV2(server *ttrpc.Server, s task.TTRPCTaskService) {
	server.RegisterService("containerd.task.v2.Task", &ttrpc.ServiceDesc{Methods: taskMethods(s)})
}

// taskMethods returns the calls of the task API by name.
func taskMethods(s task.TTRPCTaskService) map[string]ttrpc.Method {
	return map[string]ttrpc.Method{
		"State":      method(s.State),
		"Create":     method(s.Create),
		"Start":      method(s.Start),
		"Delete":     method(s.Delete),
		"Pids":       method(s.Pids),
		"Pause":      method(s.Pause),
		"Resume":     method(s.Resume),
		"Checkpoint": method(s.Checkpoint),
		"Kill":       method(s.Kill),
		"Exec":       method(s.Exec),
		"ResizePty":  method(s.ResizePty),
		"CloseIO":    method(s.CloseIO),
		"Update":     method(s.Update),
		"Wait":       method(s.Wait),
		"Stats":      method(s.Stats),
		"Connect":    method(s.Connect),
		"Shutdown":   method(s.Shutdown),
	}
}

// method adapts one call of the task API to ttrpc.
func method[Request, Response any](call func(context.Context, *Request) (*Response, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(any) error) (any, error) {
		request := new(Request)
		if err := unmarshal(request); err != nil {
			return nil, err
		}
		return call(ctx, request)
	}
}

// readStart reads what the daemon wrote to standard input of "start", at most
// the 10 MiB that containerd's own shim takes.
func readStart(stdin io.Reader) ([]byte, error) {
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, io.LimitReader(stdin, 10<<20)); err != nil {
		return nil, fmt.Errorf("start: standard input: %w", err)
	}
	return buf.Bytes(), nil
}
