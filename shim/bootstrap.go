package shim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/version"
	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// bootstrap runs containerd's own start, stop and info, with options that they understand.
type bootstrap struct {
	containerdshim.Shim
	records record.Store
}

var _ containerdshim.Shim = bootstrap{}

// Start starts the server process, or finds Batten's server of the container's group. Before
// that it probes the kernel and the runtime and keeps the answers for the server, which
// cannot: it waits for any child. The working directory is the bundle.
func (b bootstrap) Start(ctx context.Context, params *bootapi.BootstrapParams) (*bootapi.BootstrapResult, error) {
	kernel.Probe(b.records.Dir, binaryIn(params))
	if err := checkGroup("."); err != nil {
		return nil, fmt.Errorf("batten: container refused: %w", err)
	}
	dir := socketDir(params.GetSocketDir())
	params.SocketDir = &dir
	if err := linkSocketDir(".", dir); err != nil {
		return nil, fmt.Errorf("batten: %w", err)
	}
	for _, extension := range params.Extensions {
		if messageName(extension.Value) != genericOptions {
			continue // an extension of runc's, or one of a newer daemon that holds no options
		}
		opts, err := parseOptions(extension.Value)
		if err := errors.Join(lost(extension.Value), err); err != nil {
			return nil, fmt.Errorf("batten: container refused: %w", err)
		}
		if extension.Value, err = anypb.New(opts.runc); err != nil {
			return nil, err
		}
	}
	return b.Shim.Start(ctx, params)
}

// binaryIn returns the OCI runtime that the options name, or the usual one. It ignores
// options that are wrong: Create refuses them.
func binaryIn(params *bootapi.BootstrapParams) string {
	for _, extension := range params.Extensions {
		switch messageName(extension.Value) {
		case runcOptions, genericOptions:
			if opts, err := parseOptions(extension.Value); err == nil {
				return opts.binary()
			}
		}
	}
	return runtimeOptions{runc: &options.Options{}}.binary()
}

// Stop cleans up after a shim that died. It removes the container's record, and the records
// of containers that the shim was about to make.
func (b bootstrap) Stop(ctx context.Context, id string) (containerdshim.StopStatus, error) {
	stopped, err := b.Shim.Stop(ctx, id)
	if err != nil {
		return stopped, err
	}
	namespace, err := namespaces.NamespaceRequired(ctx)
	if err != nil {
		return stopped, err
	}
	return stopped, errors.Join(b.records.Remove(namespace, id), b.records.Sweep(namespace))
}

// Info answers -info: the stock shim's answer, for the options on standard
// input, and Batten's version.
func (b bootstrap) Info(ctx context.Context, stdin io.Reader) (*types.RuntimeInfo, error) {
	input, err := io.ReadAll(stdin)
	if err != nil {
		return nil, err
	}
	var sent anypb.Any
	if err := proto.Unmarshal(input, &sent); err != nil {
		return nil, fmt.Errorf("info: runtime options on standard input: %w", err)
	}
	opts, err := parseOptions(&sent)
	if err != nil {
		return nil, fmt.Errorf("info: %w", err)
	}
	typed, err := opts.typed()
	if err != nil {
		return nil, err
	}
	translated, err := proto.Marshal(typed)
	if err != nil {
		return nil, err
	}
	info, err := b.Shim.Info(ctx, bytes.NewReader(translated))
	if err != nil {
		return nil, err
	}
	if info.Annotations == nil {
		info.Annotations = make(map[string]string)
	}
	info.Annotations["io.batten.version"] = version.Version
	return info, nil
}
