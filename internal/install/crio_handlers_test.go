package install

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/names"
)

// TestCRIOHandlers: what CRI-O starts containers by, and whether that goes through Batten.
func TestCRIOHandlers(t *testing.T) {
	n := newCRIO(t, map[string]string{
		"crio.conf": packaged + "[crio.runtime.runtimes.fast]\ninherit_default_runtime = true\n",
		"crio.conf.d/20": "[crio.runtime]\ndefault_runtime = \"batten\"\n[crio.runtime.runtimes.batten]\nruntime_path = \"BIN/batten-runc-crio\"\n" +
			"[crio.runtime.runtimes.old]\nruntime_path = \"BIN/batten-runc\"\n[crio.runtime.runtimes.gone]\nruntime_path = \"/nowhere/batten-runc-crio\"\n" +
			"[crio.runtime.runtimes.both]\nruntime_path = \"BIN/batten-runc-crio\"\nplatform_runtime_paths = {\"linux/arm64\" = \"/usr/bin/crun\"}\n",
	})
	n.program("crio", "#!/bin/sh\n")
	handlers, err := Handlers(Configs{CRIO: CRIOConfigs{Main: n.path("crio.conf"), DropIns: n.path("crio.conf.d")}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range handlers {
		if h.Engine == names.CRIO {
			got = append(got, n.plain(fmt.Sprintf("%s default:%v batten:%v pods:%v %s %s", h.Name, h.Default, h.Batten, !h.NoPods, h.By, h.Missing)))
		}
	}
	want := []string{
		"batten default:true batten:true pods:true BIN/batten-runc-crio ",
		"both default:false batten:false pods:true BIN/batten-runc-crio, or what an image's platform chooses (platform_runtime_paths) ",
		"crun default:false batten:false pods:true BIN/crun ",
		"fast default:false batten:true pods:true BIN/batten-runc-crio ",
		"gone default:false batten:true pods:true /nowhere/batten-runc-crio /nowhere/batten-runc-crio is missing",
		"old default:false batten:true pods:false BIN/batten-runc ",
		"runc default:false batten:false pods:true BIN/runc ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
