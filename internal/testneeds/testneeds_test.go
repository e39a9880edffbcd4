package testneeds_test

import (
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
)

// outcome is a test's, for those that would skip or fail.
type outcome struct {
	testing.TB
	skipped, failed string
}

func (o *outcome) Helper()              {}
func (o *outcome) Skip(args ...any)     { o.skipped = args[0].(string) }
func (o *outcome) Skipf(string, ...any) { o.skipped = "another architecture" }
func (o *outcome) Fatal(args ...any)    { o.failed = args[0].(string); panic(o) }
func (o *outcome) of(f func(testing.TB)) (s outcome) {
	defer func() {
		_ = recover()
		s = *o
	}()
	f(o)
	return *o
}

// What is missing skips a test, and fails it in CI.
func TestMissing(t *testing.T) {
	missing := func(t testing.TB) { testneeds.Missing(t, "no runc") }
	t.Setenv("REQUIRE_INTEGRATION", "")
	if got := new(outcome).of(missing); got.skipped != "no runc" || got.failed != "" {
		t.Errorf("it skips %q and fails %q", got.skipped, got.failed)
	}
	t.Setenv("REQUIRE_INTEGRATION", "1")
	if got := new(outcome).of(missing); got.failed != "no runc" || got.skipped != "" {
		t.Errorf("with REQUIRE_INTEGRATION=1 it fails %q and skips %q", got.failed, got.skipped)
	}
}

// Another architecture skips a test whatever is required.
func TestArch(t *testing.T) {
	t.Setenv("REQUIRE_INTEGRATION", "1")
	if got := new(outcome).of(func(t testing.TB) { testneeds.Arch(t, "vax", "its calls") }); got.skipped == "" || got.failed != "" {
		t.Errorf("it skips %q and fails %q", got.skipped, got.failed)
	}
}
