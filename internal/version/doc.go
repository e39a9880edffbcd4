// Package version says which release of Batten this is.
package version
