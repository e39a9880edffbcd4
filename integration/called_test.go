package integration

import (
	"regexp"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/status"
)

// wantCalled checks that batten status names containers as their engine does, one that
// bypasses Batten, too, and that batten records does so with those that have a record.
func wantCalled(t *testing.T, n *node.Node, all map[string]status.Container, images map[string]string) {
	t.Helper()
	records := output(t, "records", n.Command("batten", "records"))
	for _, c := range all {
		image, ok := images[c.Called.Name]
		if !ok || c.Called.Image != image {
			t.Errorf("batten status calls %s %+v, want one of %v", c.ID, c.Called, images)
		}
		row := regexp.MustCompile(`(?m)^\S*` + c.ID[:12] + ` +` + regexp.QuoteMeta(c.Called.Name) + ` +- +` + regexp.QuoteMeta(c.Called.Image) + ` `)
		if got := row.MatchString(records); got != (c.Record != nil) {
			t.Errorf("batten records shows %q: %v\n%s", row, got, records)
		}
	}
}
