package node

import (
	"archive/tar"
	"bytes"
	"context"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Restore makes a container and asks for its task out of a checkpoint, which
// is an empty one: as far as the runtime everything is real.
func (n *Node) Restore(run Run) (*Created, error) {
	c, container, err := n.newContainer(run)
	if err != nil {
		return c, err
	}
	checkpoint, err := n.emptyCheckpoint(c.ctx)
	if err != nil {
		return c, err
	}
	mounts, err := n.rootfs(c.ctx, container)
	if err != nil {
		return c, err
	}
	_, err = n.Client.TaskService().Create(c.ctx, &tasks.CreateTaskRequest{
		ContainerID: c.ID, Rootfs: mounts, Checkpoint: checkpoint,
	})
	return c, err
}

// StartTask starts the container's task.
func (c *Created) StartTask() error {
	_, err := c.node.Client.TaskService().Start(c.ctx, &tasks.StartRequest{ContainerID: c.ID})
	return err
}

func (n *Node) rootfs(ctx context.Context, c containerd.Container) ([]*types.Mount, error) {
	info, err := c.Info(ctx)
	if err != nil {
		return nil, err
	}
	mounts, err := n.Client.SnapshotService(info.Snapshotter).Mounts(ctx, info.SnapshotKey)
	if err != nil {
		return nil, err
	}
	var out []*types.Mount
	for _, m := range mounts {
		out = append(out, &types.Mount{Type: m.Type, Source: m.Source, Options: m.Options})
	}
	return out, nil
}

// emptyCheckpoint puts a checkpoint of no files into the content store.
func (n *Node) emptyCheckpoint(ctx context.Context) (*types.Descriptor, error) {
	var b bytes.Buffer
	if err := tar.NewWriter(&b).Close(); err != nil {
		return nil, err
	}
	d := ocispec.Descriptor{MediaType: images.MediaTypeContainerd1Checkpoint, Digest: digest.FromBytes(b.Bytes()), Size: int64(b.Len())}
	// Without a lease or this label it may be collected before it is used.
	kept := content.WithLabels(map[string]string{"containerd.io/gc.root": "test"})
	err := content.WriteBlob(ctx, n.Client.ContentStore(), d.Digest.String(), bytes.NewReader(b.Bytes()), d, kept)
	return &types.Descriptor{MediaType: d.MediaType, Digest: d.Digest.String(), Size: d.Size}, err
}
