// Package load starts and deletes many containers at once while the policy changes,
// the daemon is killed and restarted, and shims are killed, under Batten and under
// the stock shim. No container runs below the policy that its record names, and
// nothing is left. STORM is how many containers a side starts, PODS how many pods, and
// GROWTH for how long one shim gets new containers.
package load
