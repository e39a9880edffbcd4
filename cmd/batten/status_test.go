package main

import (
	"strings"
	"testing"
)

func TestTellNameable(t *testing.T) {
	var out strings.Builder
	tellNameable(&out, map[string][]string{
		"docker": {"io.containerd.runc.v2", "runc"}, "podman": {"any path (--runtime)"},
	})
	want := "docker: users can name runtimes that bypass Batten: io.containerd.runc.v2, runc; batten install --docker --all-runtimes closes runc's\n" +
		"podman: users can name runtimes that bypass Batten: any path (--runtime)\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
