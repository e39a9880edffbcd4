package suggest

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

func TestPodGlob(t *testing.T) {
	for _, tt := range []struct{ name, glob, stem string }{
		{name: "shop-7d4b9c6f5d-x2x7p", glob: "shop-*-?????", stem: "shop"},
		{name: "shop-web-6b474476c4-x2x7p", glob: "shop-web-*-?????", stem: "shop-web"},
		{name: "backup-29384756-9xk2d", glob: "backup-*-?????", stem: "backup"},
		{name: "fluentd-x2x7p", glob: "fluentd-?????", stem: "fluentd"},
		{name: "db-0", glob: "db-*", stem: "db"},
		{name: "db-primary", glob: "db-primary", stem: "db-primary"},
		{name: "shop", glob: "shop", stem: "shop"},
		{name: "", glob: "", stem: ""},
	} {
		if glob, stem := PodGlob(tt.name); glob != tt.glob || stem != tt.stem {
			t.Errorf("%s: got %s, %s", tt.name, glob, stem)
		}
	}
}

func TestProfileName(t *testing.T) {
	for _, tt := range []struct {
		parts []string
		want  string
	}{
		{parts: []string{"shop", "main"}, want: "shop-main"},
		{parts: []string{"", "My_App.1"}, want: "my-app-1"},
		{parts: []string{"", "/"}, want: "suggested"},
		{parts: []string{strings.Repeat("a", 70)}, want: strings.Repeat("a", 59)},
	} {
		if got := profileName(tt.parts...); got != tt.want || !policy.IsProfileName(got) {
			t.Errorf("%q: got %q, want %q", tt.parts, got, tt.want)
		}
	}
	for _, name := range []string{"", "builtin", "Shop", "-a", "a-", "a.b", strings.Repeat("a", 64)} {
		if policy.IsProfileName(name) {
			t.Errorf("%q is no name", name)
		}
	}
}
