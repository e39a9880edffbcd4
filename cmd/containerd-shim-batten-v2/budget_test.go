package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// list is what go list says of a command and all that it imports.
func list(t *testing.T, format, command string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", format, command).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", command, err)
	}
	names := strings.Fields(string(out))
	slices.Sort(names)
	return slices.Compact(names)
}

const module = `{{with .Module}}{{.Path}}{{end}}`

// TestDependencyBudget: the shim imports what containerd's own does, and two readers
// of files; batten-runc nothing that speaks to a network.
func TestDependencyBudget(t *testing.T) {
	stock := list(t, module, "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2")
	ours := slices.DeleteFunc(list(t, module, "."), func(m string) bool { return slices.Contains(stock, m) })
	want := []string{
		"github.com/batten-runtime/batten",
		"github.com/pelletier/go-toml/v2", // options tables
		"go.yaml.in/yaml/v3",              // policies
	}
	if len(stock) < 20 || !slices.Equal(ours, want) {
		t.Errorf("beyond the %d modules of containerd's shim: %q, want %q", len(stock), ours, want)
	}
	packages := list(t, "{{.ImportPath}}", "../batten-runc")
	for _, unwanted := range []string{"net", "net/http", "crypto/tls", "plugin", "runtime/cgo"} {
		if slices.Contains(packages, unwanted) {
			t.Errorf("batten-runc imports %s", unwanted)
		}
	}
	if !slices.Contains(packages, "github.com/batten-runtime/batten/policy") {
		t.Errorf("of batten-runc only %d packages are listed", len(packages))
	}
}
