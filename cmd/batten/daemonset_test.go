package main

import (
	"testing"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/status"
)

// What helm test says of a node.
func TestThroughBatten(t *testing.T) {
	stock := install.Handler{Engine: "containerd", Name: "runc", Default: true}
	batten := install.Handler{Engine: "containerd", Name: "batten", Batten: true}
	byDefault, pending, missing, docker := batten, batten, batten, batten
	byDefault.Default, pending.Pending, docker.Engine = true, true, "docker"
	missing.Missing = "/opt/batten/bin/containerd-shim-batten-v2 is missing"
	for name, row := range map[string]struct {
		handlers []install.Handler
		policy   string
		all      bool
		want     string
	}{
		"class":             {handlers: []install.Handler{stock, batten}},
		"default":           {handlers: []install.Handler{byDefault}, all: true},
		"class, not all":    {handlers: []install.Handler{stock, batten}, all: true, want: `does the default handler, "runc", go through Batten? no, bypasses it`},
		"no default":        {handlers: []install.Handler{batten}, all: true, want: "containerd's default handler is unknown"},
		"no handler":        {handlers: []install.Handler{stock, docker}, want: `containerd has no handler "batten"`},
		"not restarted":     {handlers: []install.Handler{stock, pending}, want: `does handler "batten" go through Batten? no: restart pending`},
		"no shim":           {handlers: []install.Handler{missing}, want: `does handler "batten" go through Batten? no: /opt/batten/bin/containerd-shim-batten-v2 is missing`},
		"the policy broken": {handlers: []install.Handler{batten}, policy: "no", want: "no container can start: the policy cannot be read"},
	} {
		report := &status.Report{Handlers: row.handlers}
		report.Policy.Error = row.policy
		got := ""
		if err := throughBatten(report, "batten", row.all); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}
