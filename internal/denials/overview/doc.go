// Package overview joins what is known of the containers of a node: the records of what was
// decided, and the counts of what was denied.
//
//	list.go      List, the containers that are asked for, each with its record and its counts
//	seen.go      whether the denials of a container are seen, and which are not
//	text.go      a denial in words
//	under.go     Under, the profile whose denials they are
//
// Call [List] first.
package overview
