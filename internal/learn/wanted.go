package learn

import (
	"path"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
)

// Wanted says which containers are recorded: those that meet all that is set. The zero value is
// none. All but IDs are globs, see path.Match.
type Wanted struct {
	// IDs are containers, each whole, or its first 12 digits or more.
	IDs []string
	// Pod is NAMESPACE/NAME. Container and Image are names as the engine has them.
	Pod, Container, Image string
}

// Check returns an error for a glob that is none.
func (w Wanted) Check() error {
	for _, glob := range []string{w.Pod, w.Container, w.Image} {
		if _, err := path.Match(glob, ""); err != nil {
			return err
		}
	}
	return nil
}

// None reports whether nothing is wanted.
func (w Wanted) None() bool {
	return len(w.IDs) == 0 && w.Pod == "" && w.Container == "" && w.Image == ""
}

// named reports whether more than ids is asked of a container.
func (w Wanted) named() bool { return w.Pod != "" || w.Container != "" || w.Image != "" }

// wants reports whether a container is to be recorded. rec is nil if it has no record: then only
// its id can be asked for. A pod's sandbox is recorded only if it is asked for by its id.
func (w Wanted) wants(id string, rec *record.Record) bool {
	if w.None() || len(w.IDs) > 0 && !slices.ContainsFunc(w.IDs, func(asked string) bool { return isID(asked, id) }) {
		return false
	}
	if !w.named() {
		return true
	}
	if rec == nil || rec.Kind == policy.Sandbox {
		return false
	}
	title := rec.Title()
	return meets(w.Pod, title.Pod()) && meets(w.Container, title.Name) && meets(w.Image, title.Image)
}

// meets reports whether a name is one that a glob stands for. An empty glob stands for all.
func meets(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return glob == "" || err == nil && ok
}

// shortest is how much of an id is enough.
const shortest = 12

// isID reports whether an id is meant by what was asked for, with or without containerd's
// namespace, as tables print it.
func isID(asked, id string) bool {
	if id == "" {
		return false // nobody knows whose it is
	}
	_, after, _ := strings.Cut(asked, "/")
	return asked == id || after == id || len(asked) >= shortest && strings.HasPrefix(id, asked) || len(after) >= shortest && strings.HasPrefix(id, after)
}
