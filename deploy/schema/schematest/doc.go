// Package schematest holds texts to JSON Schemas, in tests. Call [Compile] first.
package schematest
