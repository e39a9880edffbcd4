package record

import (
	"github.com/batten-runtime/batten/policy"
)

// Called is what an engine calls a container and its image.
type Called struct {
	Name         string `json:"name,omitempty"`
	Image        string `json:"image,omitempty"`
	PodNamespace string `json:"podNamespace,omitempty"`
	PodName      string `json:"podName,omitempty"`
}

// Title returns what people call the container, by CRI or else by its engine.
func (r *Record) Title() Called { return TitleOf(r.Identity, r.Called) }

// TitleOf returns what people call a container that has no record: see [Record.Title].
func TitleOf(who policy.Identity, by Called) Called {
	t := Called{Name: who.Container, Image: who.Image, PodNamespace: who.PodNamespace, PodName: who.PodName}
	switch {
	case who.Kind == policy.Sandbox:
		t.Name = "(sandbox)"
	case t == Called{}:
		return by
	}
	return t
}

// Pod returns the pod as NAMESPACE/NAME, empty for none.
func (c Called) Pod() string {
	if c.PodName == "" {
		return ""
	}
	return c.PodNamespace + "/" + c.PodName
}

// ShortID returns a container's id as all tables have it: the containerd namespace, if any,
// and the first 12 digits of a long id, as engines print.
func ShortID(containerdNamespace, id string) string {
	if len(id) == 64 {
		id = id[:12]
	}
	if containerdNamespace == "" {
		return id
	}
	return containerdNamespace + "/" + id
}
