package computed

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/version"
)

// Dir is a directory of results, each a file that only root can have written. It is below
// /run: a reboot empties it.
type Dir string

// In returns the directory below that of the records.
func In(records string) Dir { return Dir(filepath.Join(records, "computed")) }

// most bounds the files: beyond it they are all removed, so that profiles that change with
// each container fill no memory.
const most = 500

// path returns the file of a key. Another version of Batten may compute something else.
func (d Dir) path(key string) string {
	sum := sha256.Sum256([]byte(version.Version + "\n" + key))
	return filepath.Join(string(d), hex.EncodeToString(sum[:]))
}

// Get returns what Put was given under a key. It is nil if that is not there, or if somebody
// other than root could have written it.
func (d Dir) Get(key string) []byte {
	data, err := atomicfile.ReadRoots(d.path(key))
	if err != nil {
		return nil
	}
	return data
}

// Put keeps data under a key. If it cannot be written, it is computed again next time.
func (d Dir) Put(key string, data []byte) {
	if entries, err := os.ReadDir(string(d)); err == nil && len(entries) >= most {
		_ = os.RemoveAll(string(d))
	}
	_ = atomicfile.Write(d.path(key), data)
}
