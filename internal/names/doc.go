// Package names holds the names and paths that several of Batten's parts must spell alike:
// what engines call the runtimes, and where files are. It has constants only, imports
// nothing, and everything may import it.
package names
