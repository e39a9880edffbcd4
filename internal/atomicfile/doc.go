// Package atomicfile writes a file whole or not at all: a reader sees the old bytes or
// the new ones.
//
//	Write      a file of root's own, mode 0600       ReadRoots   reads one back
//	Replace    somebody else's file: keeps its owner and mode
//
// Call [Write] first. A writer that is killed leaves a temporary file beside the real one;
// [RemoveUnfinished] removes it.
package atomicfile
