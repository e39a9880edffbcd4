// Package filtertest makes random profiles for tests of what libseccomp, runc and crun
// make of a profile.
package filtertest
