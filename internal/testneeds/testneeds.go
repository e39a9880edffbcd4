package testneeds

import (
	"os"
	"runtime"
	"testing"
)

// Root requires user 0; why says what for.
func Root(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "needs root: "+why)
	}
}

// Arch requires one of Go's architectures. A test that makes no sense on another
// one is skipped there whatever REQUIRE_INTEGRATION says.
func Arch(t testing.TB, goarch, why string) {
	t.Helper()
	if runtime.GOARCH != goarch {
		t.Skipf("needs %s: %s", goarch, why)
	}
}

// Missing skips the test, or fails it with REQUIRE_INTEGRATION=1; what says what is missing.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_INTEGRATION") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}
