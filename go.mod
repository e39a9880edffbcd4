module github.com/batten-runtime/batten

go 1.26.6

require (
	github.com/cilium/ebpf v0.17.3 // record: programs and maps in the kernel, assembled in Go, without clang
	github.com/containerd/containerd/api v1.12.0 // the task API's messages and runtime options
	github.com/containerd/containerd/v2 v2.4.2 // the runc shim that is wrapped, its default profile; tests: the client
	github.com/containerd/errdefs v1.0.0 // tests: not-found errors of the containerd client
	github.com/containerd/log v0.2.0 // logrus as containerd sets it up: fields in the daemon's log
	github.com/containerd/plugin v1.1.0 // containerd's shim loads its services through it
	github.com/containerd/ttrpc v1.2.9 // the shim's protocol: the task API under its older name
	github.com/containerd/typeurl/v2 v2.3.0 // tests: options as containerd's shim reads them
	github.com/cpuguy83/go-md2man/v2 v2.0.7 // man: renders the pages of no subcommand, as cobra/doc renders those of subcommands
	github.com/invopop/jsonschema v0.14.0 // tests: writes deploy/schema from Go types and the comments of their fields
	github.com/moby/profiles/seccomp v0.2.3 // lint and its kin: how Docker reads a profile
	github.com/moby/sys/atomicwriter v0.1.0 // install: temp file, fsync and rename, with mode and symlinks seen to
	github.com/opencontainers/go-digest v1.0.0 // tests: a checkpoint for the content store
	github.com/opencontainers/image-spec v1.1.1 // tests: the same
	github.com/opencontainers/runtime-spec v1.3.0 // the types of linux.seccomp
	github.com/owenrumney/go-sarif/v3 v3.3.1 // lint: SARIF, as its schema has it
	github.com/pelletier/go-toml/v2 v2.4.3 // the options table that CRI and Docker send as TOML, and containerd's configuration, as containerd reads them
	github.com/rogpeppe/go-internal v1.16.0 // install: unified diffs; tests: testscript for the CLI
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // tests: holds the schemas to the parser and to records, by draft 2020-12
	github.com/seccomp/libseccomp-golang v0.12.0 // what runc compiles filters with; the command line only
	github.com/spf13/cobra v1.10.2 // batten's command line: help, suggestions, completions, manual and reference pages
	github.com/spf13/pflag v1.0.10 // cobra's flags
	github.com/tidwall/gjson v1.20.1 // install: reads daemon.json in its order
	github.com/tidwall/sjson v1.2.7 // install: edits daemon.json and keeps the rest
	go.yaml.in/yaml/v3 v3.0.6 // the policy, with lines and columns
	golang.org/x/sys v0.48.0 // uname, memfd and errno names; its tables of system calls
	golang.org/x/term v0.45.0 // record: a key that ends it, read without waiting for the line
	google.golang.org/grpc v1.83.2 // status codes of refusals; status: asks CRI
	google.golang.org/protobuf v1.36.12 // runtime options on the wire
	k8s.io/api v0.37.2 // lint: pods as the API server reads them
	k8s.io/apimachinery v0.37.2 // tests: objects of the API
	k8s.io/client-go v0.37.2 // tests: the API server's client
	k8s.io/cri-api v0.37.0 // status: what the running containerd is configured with; tests: pods through CRI
	k8s.io/pod-security-admission v0.37.2 // lint: Pod Security admission's own checks
	mvdan.cc/sh/v3 v3.14.1 // tests: reads the commands that pages show, as a shell does
	sigs.k8s.io/json v0.0.0-20250730193827-2d320260d730 // lint: unknown fields, as the API server reports them
	sigs.k8s.io/yaml v1.6.0 // lint: YAML as kubectl reads it
)

require (
	github.com/Microsoft/go-winio v0.6.3-0.20251027160822-ad3df93bed29 // indirect
	github.com/Microsoft/hcsshim v0.15.0-rc.4 // indirect
	github.com/bahlo/generic-list-go v0.2.0 // indirect
	github.com/buger/jsonparser v1.1.2 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/containerd/cgroups/v3 v3.1.3 // indirect
	github.com/containerd/console v1.0.5 // indirect
	github.com/containerd/continuity v0.5.0 // indirect
	github.com/containerd/errdefs/pkg v0.3.0 // indirect
	github.com/containerd/fifo v1.1.0 // indirect
	github.com/containerd/go-runc v1.2.1 // indirect
	github.com/containerd/log/otel v0.1.0 // indirect
	github.com/containerd/platforms v1.0.0-rc.5 // indirect
	github.com/coreos/go-systemd/v22 v22.7.0 // indirect
	github.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc // indirect
	github.com/distribution/reference v0.6.0 // indirect
	github.com/docker/go-units v0.5.0 // indirect
	github.com/emicklei/go-restful/v3 v3.13.0 // indirect
	github.com/felixge/httpsnoop v1.1.0 // indirect
	github.com/fxamacker/cbor/v2 v2.9.4 // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/go-openapi/jsonpointer v1.0.0 // indirect
	github.com/go-openapi/jsonreference v1.0.0 // indirect
	github.com/go-openapi/swag v0.27.1 // indirect
	github.com/go-openapi/swag/cmdutils v0.27.1 // indirect
	github.com/go-openapi/swag/conv v0.27.1 // indirect
	github.com/go-openapi/swag/fileutils v0.27.1 // indirect
	github.com/go-openapi/swag/jsonutils v0.27.1 // indirect
	github.com/go-openapi/swag/loading v0.27.1 // indirect
	github.com/go-openapi/swag/mangling v0.27.1 // indirect
	github.com/go-openapi/swag/netutils v0.27.1 // indirect
	github.com/go-openapi/swag/pools v0.27.1 // indirect
	github.com/go-openapi/swag/stringutils v0.27.1 // indirect
	github.com/go-openapi/swag/typeutils v0.27.1 // indirect
	github.com/go-openapi/swag/yamlutils v0.27.1 // indirect
	github.com/godbus/dbus/v5 v5.1.0 // indirect
	github.com/google/gnostic-models v0.7.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/klauspost/compress v1.20.0 // indirect
	github.com/mdlayher/socket v0.6.0 // indirect
	github.com/mdlayher/vsock v1.3.0 // indirect
	github.com/moby/locker v1.0.1 // indirect
	github.com/moby/sys/mountinfo v0.7.2 // indirect
	github.com/moby/sys/sequential v0.6.0 // indirect
	github.com/moby/sys/signal v0.7.1 // indirect
	github.com/moby/sys/user v0.4.1 // indirect
	github.com/moby/sys/userns v0.2.1 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.3-0.20250322232337-35a7c28c31ee // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/pb33f/ordered-map/v2 v2.3.1 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/russross/blackfriday/v2 v2.1.0 // indirect
	github.com/sirupsen/logrus v1.10.2 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.0 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	github.com/xeipuuv/gojsonpointer v0.0.0-20190905194746-02993c407bfb // indirect
	github.com/xeipuuv/gojsonreference v0.0.0-20180127040603-bd5ef7bd5415 // indirect
	github.com/xeipuuv/gojsonschema v1.2.0 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp v0.71.0 // indirect
	go.opentelemetry.io/contrib/propagators/envcar v0.71.0 // indirect
	go.opentelemetry.io/otel v1.46.0 // indirect
	go.opentelemetry.io/otel/metric v1.46.0 // indirect
	go.opentelemetry.io/otel/sdk v1.46.0 // indirect
	go.opentelemetry.io/otel/trace v1.46.0 // indirect
	go.yaml.in/yaml/v2 v2.4.4 // indirect
	go.yaml.in/yaml/v4 v4.0.0-rc.2 // indirect
	golang.org/x/net v0.58.0 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
	golang.org/x/sync v0.23.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	golang.org/x/time v0.16.0 // indirect
	golang.org/x/tools v0.48.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260825221802-da73d73af1c5 // indirect
	gopkg.in/evanphx/json-patch.v4 v4.13.0 // indirect
	gopkg.in/inf.v0 v0.9.1 // indirect
	k8s.io/component-base v0.37.2 // indirect
	k8s.io/klog/v2 v2.140.0 // indirect
	k8s.io/kube-openapi v0.0.0-20260721132016-d427ff9ee9ad // indirect
	k8s.io/utils v0.0.0-20260626114624-be93311217bd // indirect
	sigs.k8s.io/randfill v1.0.0 // indirect
	sigs.k8s.io/structured-merge-diff/v6 v6.4.2 // indirect
)
