// Package schema holds the JSON Schemas of what people write for Batten and of what
// Batten writes: policy.json, profile.json, record.json, recording.json, log.json and lint.json.
// Editors and log pipelines read these files; batten schema prints them.
//
// Call [Text] first; it returns one schema. go test ./deploy/schema -update writes
// the files, from policy.Type, profile.Type, record.Record, recording.Recording and lint.Answer.
package schema
