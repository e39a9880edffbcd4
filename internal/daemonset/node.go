package daemonset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// What the DaemonSet writes on its Node. All keys have one prefix: the admission policy of
// deploy/kubernetes/base lets the service account change nothing else.
const (
	prefix = "batten-runtime.github.io/"
	// Label is the label by which the RuntimeClass schedules; its value is the handler's
	// name.
	Label = prefix + "handler"
	// Ready is a label that is "false" from before the first write on the host until the
	// node enforces, and "true" from then on.
	Ready = prefix + "ready"
	// Older is a label, how many pods are older than the installation, and an annotation,
	// which pods these are.
	Older = prefix + "older-pods"
	// Taint is what nodes may be registered with, so that no pod comes before Batten.
	Taint = prefix + "agent-not-ready"
)

// A node is what the agent reads of a Node.
type node struct {
	Metadata struct {
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Spec struct {
		// Taints are kept as they come: those of others are written back.
		Taints []map[string]any `json:"taints"`
	} `json:"spec"`
	Status struct {
		RuntimeHandlers []struct {
			Name string `json:"name"`
		} `json:"runtimeHandlers"`
	} `json:"status"`
}

// keys are labels or annotations to be set; nil takes one off.
type keys map[string]any

// mark sets labels and annotations of the node, and returns the node as it is then. With
// none, it only reads: the service account may not read other nodes, and needs no right to
// read for this.
func (c *Cluster) mark(ctx context.Context, labels, annotations keys) (*node, error) {
	return c.patchNode(ctx, map[string]any{"metadata": map[string]any{"labels": labels, "annotations": annotations}})
}

func (c *Cluster) patchNode(ctx context.Context, patch any) (*node, error) {
	body, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	data, err := c.call(ctx, http.MethodPatch, "/api/v1/nodes/"+url.PathEscape(c.Node), body)
	if err != nil {
		return nil, err
	}
	n := new(node)
	return n, json.Unmarshal(data, n)
}

// untaint takes the taint off, whatever its effect, and leaves others as they are. It reports
// whether the node had the taint.
func (c *Cluster) untaint(ctx context.Context) (had bool, err error) {
	for range 10 {
		n, err := c.mark(ctx, keys{}, keys{})
		if err != nil {
			return false, err
		}
		others := slices.DeleteFunc(slices.Clone(n.Spec.Taints), func(t map[string]any) bool { return t["key"] == Taint })
		if len(others) == len(n.Spec.Taints) {
			return false, nil
		}
		// The list is written as a whole, so only if nobody has changed the node meanwhile.
		_, err = c.patchNode(ctx, map[string]any{
			"metadata": map[string]any{"resourceVersion": n.Metadata.ResourceVersion}, "spec": map[string]any{"taints": others},
		})
		if !errors.Is(err, errConflict) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("the taint %s cannot be taken off: others keep changing the node", Taint)
}

// handlerLimit is how long the kubelet may take to report containerd's handlers: it looks every
// five seconds, and writes its node's status every ten.
var handlerLimit = 2 * time.Minute

// awaitHandler waits until the kubelet reports the handler among those of its container
// runtime. Where the kubelet reports none, nothing is known: kubelets before 1.30 do not, and
// containerd before 2.0 names none to them.
func (c *Cluster) awaitHandler(ctx context.Context, handler string) error {
	for began := time.Now(); ; {
		n, err := c.mark(ctx, keys{}, keys{})
		if err != nil {
			return err
		}
		var reported []string
		for _, h := range n.Status.RuntimeHandlers {
			reported = append(reported, h.Name)
		}
		if len(reported) == 0 || slices.Contains(reported, handler) {
			return nil
		}
		if time.Since(began) > handlerLimit {
			return fmt.Errorf("the kubelet reports the handlers %q of its container runtime (status.runtimeHandlers of node %s), without %q: have --socket and --config name the containerd that the kubelet uses (its containerRuntimeEndpoint)", reported, c.Node, handler)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
