// Package record keeps what was decided for each container, one JSON file a container,
// below /run/batten: the shim and batten-runc write it, the commands and the DaemonSet
// read it.
//
//	Store.Write   before the runtime is called     Store.Update   what was attested
//	Store.List    all, without those that ended    Store.Remove   the container is deleted
//
// Call [Store.List] first. docs/reference/record.md has each field.
package record
