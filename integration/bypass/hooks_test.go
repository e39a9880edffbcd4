package bypass

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// hook is a hook of the spec that runs a shell's text, with BUNDLE set to the
// bundle's directory.
func (a *attempt) hook(kind, text string) func(spec string) string {
	script := filepath.Join(a.Dir, "hook")
	a.write(script, "#!/bin/sh\nexec 2>"+a.Dir+"/hook.log\nset -x\nBUNDLE=$(sed 's/.*\"bundle\":\"\\([^\"]*\\)\".*/\\1/')\n"+text+"\n")
	a.must(os.Chmod(script, 0o755))
	return func(s string) string {
		return strings.Replace(s, `"linux":{`, fmt.Sprintf(`"hooks":{%q:[{"path":%q}]},"linux":{`, kind, script), 1)
	}
}

func hooked(kind, text string) func(*attempt) string {
	return func(a *attempt) string {
		edit := a.hook(kind, text)
		return a.run(node.Run{Edit: func(s []byte) []byte { return []byte(edit(string(s))) }})
	}
}

// hookedExec has a hook change the filter in what runc keeps for later execs.
func hookedExec(sed string) func(*attempt) string {
	return func(a *attempt) string {
		edit := a.hook("poststart", `(sleep 0.3; sed -i '`+sed+`' /run/containerd/runc/test/*/state.json) >/dev/null 2>&1 &`)
		return a.exec(node.Run{Edit: func(s []byte) []byte { return []byte(edit(string(s))) }}, func(*node.Created) {
			time.Sleep(time.Second)
		}, "/probe", "sleep", "3", "--", "call", "keyctl")
	}
}

// nestedHook has a hook run a container of its own by the node's runc.
func nestedHook(a *attempt) string {
	dir := a.bundle("inner")
	out := filepath.Join(dir, "out")
	edit := a.hook("createRuntime", fmt.Sprintf("PATH=%s:/usr/sbin:/usr/bin:/sbin:/bin runc --root %s run --bundle %s inner >%s", a.Bin, filepath.Join(a.Dir, "state"), dir, out))
	came := a.run(node.Run{Edit: func(s []byte) []byte { return []byte(edit(string(s))) }})
	if strings.Contains(came, "hooks: Deny") {
		return came
	}
	data, err := os.ReadFile(out)
	a.must(err)
	return last(string(data))
}
