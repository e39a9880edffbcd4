// Package testneeds is for tests that need something of the machine. Call [Root] or [Arch]
// at the top of a test, and [Missing] if something else is not there: each skips the test
// and says what is missing. With REQUIRE_INTEGRATION=1, as in CI, it fails the test instead,
// so that nothing is left out unseen.
package testneeds
