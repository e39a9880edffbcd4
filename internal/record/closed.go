package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/atomicfile"
)

// Closed is a block that batten block --running has put on the processes of a container.
type Closed struct {
	// Name is the name of the block and of its drop-in; Calls are as it was asked for.
	Name  string `json:"name"`
	Calls string `json:"calls"`
	// Time is when the last process was proved to have it, in UTC; Processes is how many were
	// given it.
	Time      time.Time `json:"time"`
	Processes int       `json:"processes"`
}

// closedOf returns the file beside a record in which its blocks are: the record itself is its
// shim's, which may write it at the same moment.
func closedOf(path string) string { return strings.TrimSuffix(path, ".json") + ".closed" }

// stored returns the record as its file has it.
func (r *Record) stored() ([]byte, error) {
	own := *r
	own.Closed = nil
	return json.Marshal(&own)
}

func readClosed(path string) (closed []Closed, err error) {
	data, err := os.ReadFile(closedOf(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &closed)
	}
	if err != nil {
		return nil, fmt.Errorf("record %q: the blocks beside it: %w", path, err)
	}
	return closed, nil
}

// Close notes that a block was put on the processes of a container. A block of the same name is
// noted once, with the processes of each time. It is not an error if the container has ended.
func (r Store) Close(owner, id string, c Closed) error {
	path, err := r.path(owner, id)
	if err != nil {
		return err
	}
	there := func() bool { _, err := os.Lstat(path); return err == nil }
	if !there() {
		return nil
	}
	all, err := readClosed(path)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(old Closed) bool {
		if old.Name == c.Name {
			c.Processes += old.Processes
		}
		return old.Name == c.Name
	})
	data, err := json.Marshal(append(all, c))
	if err != nil {
		return err
	}
	if err := atomicfile.Write(closedOf(path), append(data, '\n')); err != nil {
		return err
	}
	if !there() { // the container has ended meanwhile
		_ = os.Remove(closedOf(path))
	}
	return nil
}
