package daemonset

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A reason is the reason of an event on the node. Reasons are stable: monitoring goes by them,
// and docs/guide/kubernetes.md lists them.
type reason string

// Reasons of events. Those of warnings are in warns.
const (
	installed          reason = "BattenInstalled"
	restarted          reason = "BattenContainerdRestarted"
	policyInPlace      reason = "BattenPolicyInPlace"
	policyRefused      reason = "BattenPolicyRefused"
	lastGoodPolicyKept reason = "BattenLastGoodPolicyKept"
	enforces           reason = "BattenReady"
	hasOlderPods       reason = "BattenOlderPods"
	failed             reason = "BattenFailed"
	removed            reason = "BattenRemoved"
)

var warns = []reason{policyRefused, lastGoodPolicyKept, hasOlderPods, failed}

// Events go into the namespace default, as all events about nodes do.
const eventsPath = "/api/v1/namespaces/default/events"

// component is what sends the events.
const component = "batten"

// At most eventBurst events in eventPeriod: a policy that changes all the time does not fill the
// API server. What is beyond is in the log alone.
const (
	eventBurst  = 20
	eventPeriod = 10 * time.Minute
)

// maxMessage is how long an event's message may be, in bytes.
const maxMessage = 1024

// tell tells the cluster of something that has happened to the node: an event. That it cannot is
// a line in the log, and nothing else: events are no part of what holds containers to the policy.
// An event may follow a wait that took all the time that ctx had.
func (a *Agent) tell(ctx context.Context, r reason, format string, args ...any) {
	if a.Cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err := a.Cluster.event(ctx, r, fmt.Sprintf(format, args...)); err != nil {
		a.say("no event %s: %v", r, err)
	}
}

// event makes an event, or counts it if the same one is there already, also from an earlier pod
// of the DaemonSet.
func (c *Cluster) event(ctx context.Context, r reason, message string) error {
	now := time.Now().UTC()
	c.sent = slices.DeleteFunc(c.sent, func(t time.Time) bool { return now.Sub(t) > eventPeriod })
	if len(c.sent) >= eventBurst {
		return fmt.Errorf("%d events in %v are enough", eventBurst, eventPeriod)
	}
	c.sent = append(c.sent, now)
	message = short(message)
	name := fmt.Sprintf("batten-%.20x", sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", c.Node, r, message)))
	n, err := c.mark(ctx, keys{}, keys{})
	if err != nil {
		return err
	}
	kind, at := "Normal", now.Format(time.RFC3339)
	if slices.Contains(warns, r) {
		kind = "Warning"
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"name": name, "namespace": "default"},
		"involvedObject": map[string]any{"apiVersion": "v1", "kind": "Node", "name": c.Node, "uid": n.Metadata.UID},
		"reason":         r, "message": message, "type": kind, "count": 1, "firstTimestamp": at, "lastTimestamp": at,
		"source": map[string]any{"component": component, "host": c.Node}, "reportingComponent": component, "reportingInstance": c.Node,
	})
	if err != nil {
		return err
	}
	if _, err = c.call(ctx, http.MethodPost, eventsPath, body); !errors.Is(err, errConflict) {
		return err
	}
	return c.count(ctx, eventsPath+"/"+url.PathEscape(name), at)
}

// count counts an event once more. The first patch is answered with the count.
func (c *Cluster) count(ctx context.Context, path, at string) error {
	var event struct {
		Count int `json:"count"`
	}
	data, err := c.call(ctx, http.MethodPatch, path, fmt.Appendf(nil, `{"lastTimestamp": %q}`, at))
	if err == nil {
		err = json.Unmarshal(data, &event)
	}
	if err == nil {
		_, err = c.call(ctx, http.MethodPatch, path, fmt.Appendf(nil, `{"count": %d}`, event.Count+1))
	}
	return err
}

// short cuts a message to what an event may hold.
func short(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	const more = " … (the pod's log has all of it)"
	return strings.ToValidUTF8(message[:maxMessage-len(more)], "") + more
}
