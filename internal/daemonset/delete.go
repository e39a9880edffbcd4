package daemonset

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Delete deletes the DaemonSet and waits until its pods have ended, which take Batten off their
// nodes as long as the service account and its rights are there. What removes all of these at
// once, as Helm does, calls Delete first.
func (c *Cluster) Delete(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodDelete, c.daemonSet(), []byte(`{"propagationPolicy":"Foreground"}`))
	for err == nil {
		if _, err = c.call(ctx, http.MethodGet, c.daemonSet(), nil); err != nil {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pods of the DaemonSet %s/%s have not ended: %w", c.Namespace, c.Name, ctx.Err())
		case <-time.After(pause):
		}
	}
	if errors.Is(err, errNotFound) {
		return nil
	}
	return err
}
