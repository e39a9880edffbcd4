// Package document reads the YAML and JSON files that people write for Batten,
// strictly and with places: every problem names file, line, column and the
// path inside the file, and all problems of a file are found in one pass.
//
//	bytes ──ParseYAML/ParseJSON──▶ Node ──Fields, Items, Word, Uint──▶ values
//	                                         │
//	                                         └─▶ Findings: place, path, message
//
// Unknown keys, duplicate keys, anchors and several documents in one file are
// problems, never ignored.
package document
