package kernel

import (
	"encoding/json"

	"github.com/batten-runtime/batten/internal/atomicfile"
)

// keep writes an answer to a file for the next process that asks. If that fails, the next
// process asks the kernel or the runtime again.
func keep(path string, answer any) {
	if data, err := json.Marshal(answer); err == nil {
		_ = atomicfile.Write(path, data)
	}
}

// read reads a kept answer. It reports false if there is none, or if anybody but root can
// have written the file.
func read(path string, answer any) bool {
	data, err := atomicfile.ReadRoots(path)
	return err == nil && json.Unmarshal(data, answer) == nil
}
