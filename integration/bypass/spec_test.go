package bypass

import (
	"strings"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// allowAll filters, and lets all through.
const allowAll = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["nosuchcall"],"action":"SCMP_ACT_ERRNO"}]}`

const noKeyring = `version: 1
floor: no-keyring
profiles:
  no-keyring: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl, add_key], action: SCMP_ACT_ERRNO}]}}
`

// linux puts text in front of a spec's linux.
func linux(text string, spec ...oci.SpecOpts) func(*attempt) string {
	return replaced(`"linux":{`, text+`"linux":{`, spec...)
}

// inLinux puts text first into a spec's linux.
func inLinux(text string) func(*attempt) string {
	return replaced(`"linux":{`, `"linux":{`+text+`,`)
}

// annotated gives a spec an annotation, whose value is JSON's text.
func annotated(key, value string) func(string) string {
	return func(s string) string {
		return strings.Replace(s, `"linux":{`, `"annotations":{"`+key+`":`+value+`},"linux":{`, 1)
	}
}

var specRows = []row{
	{"nothing is asked for", calls("keyctl"), "OK", "EPERM", stopped, ""},
	{"privileged", calls("keyctl", oci.WithPrivileged), "OK", "EPERM", stopped, ""},
	{"linux twice", linux(`"linux":{},`), "OK", `refused: key "linux" occurs twice in the spec`, stopped, ""},
	{"linux twice, the last one without a filter", linux(`"linux":{"seccomp":` + allowAll + `},`), "OK", `refused: key "linux" occurs twice in the spec`, stopped, ""},
	{"seccomp twice", inLinux(`"seccomp":` + allowAll + `,"seccomp":null`), "OK", `refused: key "seccomp" occurs twice in linux`, stopped, ""},
	{"Linux", linux(`"Linux":{"seccomp":` + allowAll + `},`), "OK", `refused: key "Linux" in the spec differs from "linux" only in case`, stopped, ""},
	{"SECCOMP", inLinux(`"SECCOMP":` + allowAll), "OK", `refused: key "SECCOMP" in linux differs from "seccomp" only in case`, stopped, ""},
	{"a long s", inLinux(`"\u017feccomp":` + allowAll), "OK", `refused: key "ſeccomp" in linux differs from "seccomp" only in case`, stopped, ""},
	{"DefaultAction", inLinux(`"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","DefaultAction":"SCMP_ACT_ALLOW"}`), "OK", `refused: key "DefaultAction" in linux.seccomp differs from "defaultAction" only in case`, stopped, ""},
	{"an escaped key", replaced(`"linux":{`, `"\u006cinux":{`), "OK", "EPERM", stopped, ""},
	{"a key twice by an escape", inLinux(`"seccomp":` + allowAll + `,"se\u0063comp":` + allowAll), "OK", `refused: key "seccomp" occurs twice in linux`, stopped, ""},
	{"annotations twice", replaced(`"linux":{`, `"annotations":{"a":"1"},"annotations":{"a":"2"},"linux":{`), "OK", `refused: key "annotations" occurs twice in the spec`, stopped, ""},
	{"null", inLinux(`"seccomp":null`), "OK", "EPERM", stopped, ""},
	{"an empty filter", inLinux(`"seccomp":{}`), "OK", "EPERM", stopped, ""},
	{"a filter without rules", inLinux(`"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}`), "OK", "EPERM", stopped, ""},
	{"a filter that lets all through, kept", inLinux(`"seccomp":` + allowAll), "OK", "OK", limit, "A filter that the policy keeps (`present: Keep`), however loose"},
	{"the same under a floor", under(noKeyring, inLinux(`"seccomp":`+allowAll)), "OK", "EPERM", stopped, ""},
	{"a notifying filter under a floor", under(noKeyring, inLinux(`"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/nowhere","syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_NOTIFY"}]}`)), "refused: ", "EPERM", harmless, "nobody listens where the filter says, so runc alone starts nothing; the floor denies what it would ask about"},
	{"linux is a string", edited(func(s string) string { return s[:strings.Index(s, `"linux":{`)] + `"linux":"x"}` }), "refused: ", "refused: ", harmless, "neither containerd nor runc reads it"},
	{"linux.seccomp is a list", inLinux(`"seccomp":[]`), "refused: ", "refused: ", harmless, "neither containerd nor runc reads it"},
	{"linux.seccomp.syscalls is an object", inLinux(`"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":{}}`), "refused: ", "refused: ", harmless, "runc does not read it"},
	{"deep nesting", linux(`"x":` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `,`), "OK", "refused: nested more than 200 deep", stopped, ""},
	{"a byte order mark", edited(func(s string) string { return "\ufeff" + s }), "refused: ", "refused: ", harmless, "neither containerd nor runc reads it"},
	{"text after the end", edited(func(s string) string { return s + "{}" }), "refused: ", "refused: ", harmless, "containerd does not read it"},
	{"bytes that are no UTF-8, in a value", edited(annotated("a", "\"\xff\xfe\"")), "OK", "EPERM", stopped, ""},
	{"bytes that are no UTF-8, in a key", linux("\"li\xffnux\":{\"seccomp\":" + allowAll + `},`), "OK", "EPERM", stopped, ""},
	{"a spec of 10 MB", edited(annotated("a", `"`+strings.Repeat("x", 10<<20)+`"`)), "OK", "EPERM", stopped, ""},
	{"Windows and VM sections", linux(`"windows":{"layerFolders":[]},"vm":{"kernel":{"path":"/x"}},`), "OK", "EPERM", stopped, ""},
	{"decoys", linux(`"linux.seccomp":` + allowAll + `,"seccomp":` + allowAll + `,"":{"linux":{"seccomp":` + allowAll + `}},`), "OK", "EPERM", stopped, ""},
	{"decoys in process", replaced(`"process":{`, `"process":{"seccomp":`+allowAll+`,"linux":{"seccomp":`+allowAll+`},`), "OK", "EPERM", stopped, ""},
	{"crun: a key that ends at a NUL", onCrun(linux(`"linux\u0000":{"seccomp":`+allowAll+`},`, node.WithOldSpec)), "OK", `refused: a key, "linux\u0000", holds a NUL`, stopped, ""},
	{"crun: a syscall's name that ends at a NUL", onCrun(under("version: 1\nfloor: RuntimeDefault\n", replaced(`"linux":{`, `"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["keyctl\u0000"],"action":"SCMP_ACT_LOG"}]},`, node.WithOldSpec))), "OK", "refused: holds a NUL", stopped, ""},
	{"crun: a filter in an annotation", onCrun(bpfData), "OK", `refused: annotation "run.oci.seccomp_bpf_data"`, stopped, ""},
}

// bpfData has the spec ask for a filter that denies the call, and in an annotation
// give crun another: BPF_RET | BPF_K, SECCOMP_RET_ALLOW.
func bpfData(a *attempt) string {
	return edited(annotated("run.oci.seccomp_bpf_data", `"BgAAAAAA/38="`),
		node.WithOldSpec, node.WithSeccomp(denyKeyctl()))(a)
}

// onCrun has crun make the container.
func onCrun(try func(*attempt) string) func(*attempt) string {
	return func(a *attempt) string {
		a.options = &options.Options{BinaryName: node.CrunHere(a.t, a.Node)}
		return try(a)
	}
}
