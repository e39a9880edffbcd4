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
	{
		name: "nothing is asked for", try: calls("keyctl"), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "privileged", try: calls("keyctl", oci.WithPrivileged), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "linux twice", try: linux(`"linux":{},`), stock: "OK",
		batten: `refused: key "linux" occurs twice in the spec`, end: stopped,
	},
	{
		name: "linux twice, the last one without a filter",
		try:  linux(`"linux":{"seccomp":` + allowAll + `},`), stock: "OK",
		batten: `refused: key "linux" occurs twice in the spec`, end: stopped,
	},
	{
		name: "seccomp twice", try: inLinux(`"seccomp":` + allowAll + `,"seccomp":null`),
		stock: "OK", batten: `refused: key "seccomp" occurs twice in linux`, end: stopped,
	},
	{
		name: "Linux", try: linux(`"Linux":{"seccomp":` + allowAll + `},`), stock: "OK",
		batten: `refused: key "Linux" in the spec differs from "linux" only in case`, end: stopped,
	},
	{
		name: "SECCOMP", try: inLinux(`"SECCOMP":` + allowAll), stock: "OK",
		batten: `refused: key "SECCOMP" in linux differs from "seccomp" only in case`, end: stopped,
	},
	{
		name: "a long s", try: inLinux(`"\u017feccomp":` + allowAll), stock: "OK",
		batten: `refused: key "ſeccomp" in linux differs from "seccomp" only in case`,
		end:    stopped,
	},
	{
		name:   "DefaultAction",
		try:    inLinux(`"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","DefaultAction":"SCMP_ACT_ALLOW"}`),
		stock:  "OK",
		batten: `refused: key "DefaultAction" in linux.seccomp differs from "defaultAction" only in case`,
		end:    stopped,
	},
	{
		name: "an escaped key", try: replaced(`"linux":{`, `"\u006cinux":{`), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a key twice by an escape",
		try:  inLinux(`"seccomp":` + allowAll + `,"se\u0063comp":` + allowAll), stock: "OK",
		batten: `refused: key "seccomp" occurs twice in linux`, end: stopped,
	},
	{
		name:  "annotations twice",
		try:   replaced(`"linux":{`, `"annotations":{"a":"1"},"annotations":{"a":"2"},"linux":{`),
		stock: "OK", batten: `refused: key "annotations" occurs twice in the spec`, end: stopped,
	},
	{name: "null", try: inLinux(`"seccomp":null`), stock: "OK", batten: "EPERM", end: stopped},
	{
		name: "an empty filter", try: inLinux(`"seccomp":{}`), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "a filter without rules",
		try:  inLinux(`"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}`), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a filter that lets all through, kept", try: inLinux(`"seccomp":` + allowAll),
		stock: "OK", batten: "OK", end: limit,
		why: "A filter that the policy keeps (`present: Keep`), however loose",
	},
	{
		name: "the same under a floor", try: under(noKeyring, inLinux(`"seccomp":`+allowAll)),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "a notifying filter under a floor",
		try:   under(noKeyring, inLinux(`"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/nowhere","syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_NOTIFY"}]}`)),
		stock: "refused: ", batten: "EPERM", end: harmless,
		why: "nobody listens where the filter says, so runc alone starts nothing; the floor denies what it would ask about",
	},
	{
		name:  "linux is a string",
		try:   edited(func(s string) string { return s[:strings.Index(s, `"linux":{`)] + `"linux":"x"}` }),
		stock: "refused: ", batten: "refused: ", end: harmless,
		why: "neither containerd nor runc reads it",
	},
	{
		name: "linux.seccomp is a list", try: inLinux(`"seccomp":[]`), stock: "refused: ",
		batten: "refused: ", end: harmless, why: "neither containerd nor runc reads it",
	},
	{
		name:  "linux.seccomp.syscalls is an object",
		try:   inLinux(`"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":{}}`),
		stock: "refused: ", batten: "refused: ", end: harmless, why: "runc does not read it",
	},
	{
		name: "deep nesting",
		try:  linux(`"x":` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `,`), stock: "OK",
		batten: "refused: nested more than 200 deep", end: stopped,
	},
	{
		name: "a byte order mark", try: edited(func(s string) string { return "\ufeff" + s }),
		stock: "refused: ", batten: "refused: ", end: harmless,
		why: "neither containerd nor runc reads it",
	},
	{
		name: "text after the end", try: edited(func(s string) string { return s + "{}" }),
		stock: "refused: ", batten: "refused: ", end: harmless, why: "containerd does not read it",
	},
	{
		name: "bytes that are no UTF-8, in a value", try: edited(annotated("a", "\"\xff\xfe\"")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "bytes that are no UTF-8, in a key",
		try:  linux("\"li\xffnux\":{\"seccomp\":" + allowAll + `},`), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "a spec of 10 MB", try: edited(annotated("a", `"`+strings.Repeat("x", 10<<20)+`"`)),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "Windows and VM sections",
		try:  linux(`"windows":{"layerFolders":[]},"vm":{"kernel":{"path":"/x"}},`), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name:  "decoys",
		try:   linux(`"linux.seccomp":` + allowAll + `,"seccomp":` + allowAll + `,"":{"linux":{"seccomp":` + allowAll + `}},`),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "decoys in process",
		try:   replaced(`"process":{`, `"process":{"seccomp":`+allowAll+`,"linux":{"seccomp":`+allowAll+`},`),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "crun: a key that ends at a NUL",
		try:   onCrun(linux(`"linux\u0000":{"seccomp":`+allowAll+`},`, node.WithOldSpec)),
		stock: "OK", batten: `refused: a key, "linux\u0000", holds a NUL`, end: stopped,
	},
	{
		name:  "crun: a syscall's name that ends at a NUL",
		try:   onCrun(under("version: 1\nfloor: RuntimeDefault\n", replaced(`"linux":{`, `"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["keyctl\u0000"],"action":"SCMP_ACT_LOG"}]},`, node.WithOldSpec))),
		stock: "OK", batten: "refused: holds a NUL", end: stopped,
	},
	{
		name: "crun: a filter in an annotation", try: onCrun(bpfData), stock: "OK",
		batten: `refused: annotation "run.oci.seccomp_bpf_data"`, end: stopped,
	},
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
