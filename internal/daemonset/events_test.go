package daemonset

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
)

// madeEvents is an API server that keeps events, by name.
func madeEvents() (*apiServer, map[string]map[string]any) {
	events := make(map[string]map[string]any)
	return &apiServer{answer: func(method, path, body string) (int, string) {
		var sent map[string]any
		if err := json.Unmarshal([]byte(body), &sent); err != nil {
			return 400, err.Error()
		}
		name, isEvent := strings.CutPrefix(path, "/api/v1/namespaces/default/events")
		switch {
		case !isEvent:
			return 200, `{"metadata":{"uid":"u1"}}`
		case method == "POST":
			name, _ := sent["metadata"].(map[string]any)["name"].(string)
			if events[name] != nil {
				return 409, ""
			}
			events[name] = sent
			return 201, "{}"
		}
		event := events[strings.TrimPrefix(name, "/")]
		for k, v := range sent {
			event[k] = v
		}
		data, err := json.Marshal(event)
		if err != nil {
			return 500, err.Error()
		}
		return 200, string(data)
	}}, events
}

// The same event is counted, also by the next pod of the DaemonSet; another one is made.
func TestEvents(t *testing.T) {
	server, events := madeEvents()
	var log strings.Builder
	a := &Agent{Log: &log, Cluster: inCluster(t, server)}
	a.tell(t.Context(), policyRefused, "no such %s", "profile")
	a.tell(t.Context(), policyRefused, "no such %s", "profile")
	a.Cluster.sent = nil // the next pod
	a.tell(t.Context(), policyRefused, "no such %s", "profile")
	a.tell(t.Context(), enforces, "it enforces")
	if len(events) != 2 || log.Len() > 0 {
		t.Fatalf("%v\n%s", events, log.String())
	}
	for name, e := range events {
		if !strings.HasPrefix(name, "batten-") || len(name) > 60 {
			t.Errorf("its name is %q", name)
		}
		got := fmt.Sprint(e["type"], " ", e["reason"], " ", e["message"], " ", e["count"], " ", e["involvedObject"])
		const node = " map[apiVersion:v1 kind:Node name:n1 uid:u1]"
		if got != "Warning BattenPolicyRefused no such profile 3"+node && got != "Normal BattenReady it enforces 1"+node {
			t.Errorf("got %s", got)
		}
	}
}

// More events than enough are in the log alone, and long messages are cut.
func TestEventRate(t *testing.T) {
	server, events := madeEvents()
	var log strings.Builder
	a := &Agent{Log: &log, Cluster: inCluster(t, server)}
	for i := range eventBurst + 2 {
		a.tell(t.Context(), policyRefused, "%d %s", i, strings.Repeat("é", 1000))
	}
	if len(events) != eventBurst {
		t.Errorf("there are %d events", len(events))
	}
	if want := "no event BattenPolicyRefused: 20 events in 10m0s are enough\n"; log.String() != want+want {
		t.Errorf("the log says\n%s", log.String())
	}
	for _, e := range events {
		message, _ := e["message"].(string)
		if len(message) > maxMessage || !strings.HasSuffix(message, "é … (the pod's log has all of it)") {
			t.Errorf("a message of %d bytes ends with %q", len(message), message[len(message)-50:])
		}
	}
}

// Without a cluster, and without the right to make events, nothing else stops.
func TestNoEvents(t *testing.T) {
	var log strings.Builder
	a := &Agent{Log: &log}
	a.tell(t.Context(), enforces, "it enforces")
	if log.Len() > 0 {
		t.Errorf("without a cluster: %s", log.String())
	}
	a.Cluster = inCluster(t, &apiServer{answer: func(method, _, _ string) (int, string) {
		if method == "POST" {
			return 403, "no"
		}
		return 200, "{}"
	}})
	a.tell(t.Context(), enforces, "it enforces")
	if want := "no event BattenReady: POST /api/v1/namespaces/default/events: 403 Forbidden: no\n"; log.String() != want {
		t.Errorf("the log says %s", log.String())
	}
}

// What holds, and what does not, is told once.
func TestPolicyEvents(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	server, events := madeEvents()
	a, dir, _ := agent(t)
	a.Cluster = inCluster(t, server)
	told := func() string {
		var out []string
		for _, e := range events {
			message, _ := e["message"].(string)
			out = append(out, fmt.Sprintf("%v %v %.25s", e["reason"], e["count"], message))
		}
		clear(events)
		slices.Sort(out)
		return strings.Join(out, "; ")
	}
	for k, row := range []struct{ policy, want string }{
		{policy: "version: 1\n", want: "BattenPolicyInPlace 1 the ConfigMap's policy (s"},
		{policy: "version: 1\n"},
		{policy: "version: 7\n", want: "BattenLastGoodPolicyKept 1 policy "},
		{policy: "version: 7\n"},
		{policy: "version: 1\nabsent: Deny\n", want: "BattenPolicyInPlace 1 the ConfigMap's policy (s"},
	} {
		mount(t, dir, fmt.Sprint(k), map[string]string{"policy.yaml": row.policy})
		_ = a.policy(t.Context())
		got := told()
		if row.want == "" && got != "" || !strings.HasPrefix(got, row.want) {
			t.Errorf("%q: got %s, want %s", row.policy, got, row.want)
		}
		if strings.Contains(row.policy, "7") && row.want != "" && !strings.HasSuffix(got, "; BattenPolicyRefused 1 the policy is refused, th") {
			t.Errorf("%q: got %s", row.policy, got)
		}
	}
	// The next pod finds all in place, and says nothing.
	next := &Agent{Log: a.Log, root: a.root, Policy: a.Policy, Cluster: a.Cluster}
	if err := next.policy(t.Context()); err != nil || told() != "" {
		t.Errorf("the next pod: %v", err)
	}
}
