// Package testpages is for tests that run what the documentation shows, so that a page cannot
// drift from the program: call [Commands] with the text of a page.
package testpages
