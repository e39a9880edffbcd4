// Package manifesttest writes manifests for tests, as people, editors and templates do.
//
// Call [Generate] with numbers from 0 on, and [Refused] for pods that the API server refuses.
package manifesttest
