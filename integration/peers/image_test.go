package peers

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/deploy/image"
	"github.com/batten-runtime/batten/integration/node"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// texts are the files of the suites' images, besides busybox.
var texts = map[string]string{
	"etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n" +
		"sys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/spool/mail:/bin/false\n" +
		"www-data:x:33:33:www-data:/var/www:/bin/false\noperator:x:37:37:Operator:/var:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
	"etc/group": "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nkmem:x:9:\n" +
		"wheel:x:10:root\ncdrom:x:11:\nwww-data:x:33:\nusers:x:100:\nnobody:x:65534:\n",
	"etc/os-release":                      "NAME=probe\n",
	"test_dir/test_file":                  "test_content\n",
	":colon_prefixed/colon_prefixed_file": "test_content\n",
	"C:/weird_test_dir/weird_test_file":   "test_content\n",
}

// archive is the image that stands for each of the suites': busybox with all of its
// commands, and the directories that one of theirs has.
func archive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	busybox := filepath.Join(node.Cache(), "debian/bin/busybox")
	files := []image.File{
		{Name: "bin/busybox", Source: busybox},
		{Name: "pause", Source: node.Probe(t)},
		{Name: "root"},
		{Name: "tmp"},
		{Name: "proc"},
		{Name: "sys"},
		{Name: "dev"},
		{Name: "home"},
		{Name: "var/log"},
		{Name: "run"},
	}
	commands, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(commands)) {
		if name != "busybox" {
			files = append(files, image.File{Name: "bin/" + name, Link: "busybox"})
		}
	}
	for name, text := range texts {
		source := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, image.File{Name: name, Source: source})
	}
	data, err := image.Archive("peers:1", v1.ImageConfig{
		Cmd: []string{"/pause", "pause"}, Env: []string{"PATH=/bin"},
		Volumes: map[string]struct{}{"/test_dir": {}, "C:/weird_test_dir": {}, "/:colon_prefixed": {}},
	}, files)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "image.tar")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// serveImages is every registry that the suites pull from, in the node's network.
func serveImages(t *testing.T, n *node.Node, certificate tls.Certificate) {
	t.Helper()
	n.ServeImages(tls.NewListener(n.Listen("127.0.0.1:443"), &tls.Config{Certificates: []tls.Certificate{certificate}}), archive(t))
	out, err := n.Command("sh", "-c", "echo 127.0.0.1 "+strings.Join(registries, " ")+" >>/etc/hosts").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
