package shim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/batten-runtime/batten/shim/enforce"
)

// bootstrap is containerd's own start, stop and info, given options that they
// understand.
type bootstrap struct {
	containerdshim.Shim
	records enforce.Records
}

// Start starts the server process. Before it goes about that, it probes the
// kernel once a boot: the server reaps children itself, and could not.
func (b bootstrap) Start(ctx context.Context, params *bootapi.BootstrapParams) (*bootapi.BootstrapResult, error) {
	enforce.ProbeABIs(b.records.Dir)
	for _, extension := range params.Extensions {
		if messageName(extension.Value) != genericOptions {
			continue // runc's own, or a newer daemon's that is no option
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

// Stop cleans up after a shim that died, and removes the container's record, and
// those of containers that it was about to make.
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
	info.Annotations["io.batten.version"] = enforce.Version
	return info, nil
}
