package status

import (
	"github.com/batten-runtime/batten/internal/called"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/spec"
)

// title returns what people call the container: by its record, or by its bundle where it
// has none or an older Batten's.
func (c *Container) title() record.Called {
	if c.Record != nil {
		if t := c.Record.Title(); t != (record.Called{}) || c.Record.Engine != "" {
			return t
		}
	}
	if c.bundle == "" {
		return record.Called{}
	}
	s, err := spec.Load(c.bundle)
	if err != nil {
		return record.Called{}
	}
	who := policy.Identify(policy.Request{ContainerdNamespace: c.ContainerdNamespace, Annotations: s.Annotations})
	if c.ContainerdNamespace == names.CRINamespace { // where a pod's author names paths
		return record.TitleOf(who, record.Called{})
	}
	return record.TitleOf(who, called.Of(c.bundle, c.ID, s))
}
