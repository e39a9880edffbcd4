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
	for _, unwanted := range []string{
		"net", "net/http", "crypto/tls", "plugin", "runtime/cgo", "github.com/spf13/cobra", "github.com/spf13/pflag",
		"github.com/invopop/jsonschema", "github.com/santhosh-tekuri/jsonschema/v6", "github.com/batten-runtime/batten/deploy/schema",
	} {
		if slices.Contains(packages, unwanted) {
			t.Errorf("batten-runc imports %s", unwanted)
		}
	}
	if !slices.Contains(packages, "github.com/batten-runtime/batten/policy") {
		t.Errorf("of batten-runc only %d packages are listed", len(packages))
	}
}

// Only policy/filter uses cgo, through libseccomp's bindings: the shim and batten-runc are
// built without, and a file that imports "C" would be left out of them unseen.
func TestCgo(t *testing.T) {
	cmd := exec.Command("go", "list", "-f",
		`{{.ImportPath}} {{range .CgoFiles}}{{.}} {{end}}{{range .Imports}}{{if eq . "github.com/seccomp/libseccomp-golang"}}{{.}}{{end}}{{end}}`,
		"github.com/batten-runtime/batten/...")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			got = append(got, strings.Join(fields, " "))
		}
	}
	want := []string{"github.com/batten-runtime/batten/policy/filter github.com/seccomp/libseccomp-golang"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
