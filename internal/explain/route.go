package explain

import (
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/internal/names"
)

// RouteOf is how a pod's containers start.
type RouteOf struct {
	handler string // as the node calls it; empty for its default one
	Runtime string // as the policy calls what runs Batten; empty where nothing does
	known   bool
	assumed bool // that Batten is installed
}

// Installed reports whether one of the engine's handlers goes through Batten.
func Installed(engine string, handlers []install.Handler) bool {
	return slices.ContainsFunc(handlers, func(h install.Handler) bool { return h.Engine == engine && h.Batten })
}

// Route is the way of one pod by an engine. AsInstalled takes the default handler to go through
// Batten, as after batten install --default, whatever the node has.
func Route(engine string, pod *manifest.Pod, objects []manifest.Object, handlers []install.Handler, asInstalled bool) (r RouteOf) {
	r.handler = pod.Handler(objects)
	if r.Runtime = names.RuntimeType; engine == names.CRIO {
		r.Runtime = names.Wrapper
	}
	byDefault := r.handler == ""
	for _, h := range handlers {
		if h.Engine != engine || h.Name != r.handler && !(r.handler == "" && h.Default) {
			continue
		}
		r.handler, r.known = h.Name, true
		switch {
		case !h.Batten && byDefault && asInstalled:
			r.handler, r.assumed = "", true
		case !h.Batten:
			r.Runtime = ""
		case strings.HasSuffix(h.By, "/"+names.Wrapper):
			r.Runtime = names.Wrapper
		}
	}
	if !r.known {
		r.assumed = true
	}
	return r
}

func (r RouteOf) String() string {
	name := r.handler
	if name == "" {
		name = "the default one"
	}
	switch {
	case r.assumed && r.known:
		return name + ", assumed to go through Batten"
	case r.assumed:
		return name + ", which this node does not have; assumed to go through Batten"
	case r.Runtime == "":
		return name + ", which bypasses Batten: nobody asks the policy"
	}
	return name + ", which goes through Batten"
}
