package overview

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/record"
)

// Container is one container: its record, and what was counted of it. One of them may be nil.
type Container struct {
	Record *record.Record  `json:"record,omitempty"`
	Counts *denials.Counts `json:"counts,omitempty"`
}

// Owner returns the directory of the container's files, and its id.
func (c Container) Owner() (owner, id string) {
	if c.Record != nil {
		return c.Record.Owner(), c.Record.ID
	}
	return c.Counts.Owner, c.Counts.ID
}

// ShortID returns the container's id as tables have it.
func (c Container) ShortID() string {
	if c.Record != nil {
		return record.ShortID(c.Record.ContainerdNamespace, c.Record.ID)
	}
	return record.ShortID(c.Counts.Owner, c.Counts.ID)
}

// Title returns what people call the container.
func (c Container) Title() record.Called {
	if c.Record == nil {
		return record.Called{}
	}
	return c.Record.Title()
}

// List returns the containers of a directory of records in the order of owners and ids, and
// what could be read also if there is an error.
func List(dir string) ([]Container, error) {
	// The counts come first: a container that ends meanwhile then has counts and no record.
	counts, wrong := denials.Store{Dir: dir}.List()
	records, err := record.Store{Dir: dir}.List()
	var out []Container
	for _, r := range records {
		out = append(out, Container{Record: r})
	}
	for _, c := range counts {
		i := slices.IndexFunc(out, func(o Container) bool {
			owner, id := o.Owner()
			return owner == c.Owner && id == c.ID
		})
		if i < 0 {
			out = append(out, Container{Counts: c})
		} else {
			out[i].Counts = c
		}
	}
	slices.SortStableFunc(out, func(a, b Container) int {
		ownerA, idA := a.Owner()
		ownerB, idB := b.Owner()
		return cmp.Or(cmp.Compare(ownerA, ownerB), cmp.Compare(idA, idB))
	})
	return out, errors.Join(err, wrong)
}

// Since returns the denials of which the last call was not before a time, in the order of
// their first call. The zero time returns all.
func (c Container) Since(since time.Time) (out []denials.Denial) {
	if c.Counts == nil {
		return nil
	}
	for _, d := range c.Counts.Denials {
		if !d.Last.Before(since) {
			out = append(out, d)
		}
	}
	return out
}
