//go:build release

package release

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// buildah builds the image without a daemon. The image that the Dockerfile begins with is made here, a
// Debian with this machine's Go, so that no registry is asked. The image's version is the tag, and its
// files are all that the program needs: it serves in a chroot, as its user.
func TestImage(t *testing.T) {
	work := t.TempDir()
	sources, storage := filepath.Join(work, "sources"), filepath.Join(work, "storage")
	buildah := func(arguments ...string) string {
		line := append([]string{"buildah", "--root", storage, "--runroot", storage + "-run", "--storage-driver", "vfs"}, arguments...)
		out, err := exec.Command(line[0], line[1:]...).Output()
		if failed := (&exec.ExitError{}); errors.As(err, &failed) {
			t.Fatalf("%v: %v\n%s", line, err, failed.Stderr)
		}
		return strings.TrimSpace(string(out))
	}
	output(t, "git", "clone", "-q", source, sources)
	output(t, "git", "-C", sources, "tag", "v"+version)

	base := buildah("from", "scratch")
	output(t, "cp", "-a", debian+"/.", buildah("mount", base))
	buildah("config", "--env", "PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin", base)
	buildah("commit", "--rm", base, "docker.io/library/golang:1.26-bookworm")
	goEnv := func(name string) string { return strings.TrimSpace(output(t, "go", "env", name)) }
	buildah("build", "--pull-never", "--isolation=chroot", "--network=host", "--layers=false", "--format=docker",
		"--volume", goEnv("GOROOT")+":/usr/local/go:ro",
		"--volume", goEnv("GOMODCACHE")+":/root/go/pkg/mod",
		"--volume", goEnv("GOCACHE")+":/root/.cache/go-build",
		"--tag", "opencalls:"+version, sources)

	root := buildah("mount", buildah("from", "--pull-never", "opencalls:"+version))
	config := buildah("inspect", "--type=image", "--format",
		"{{.Docker.Config.User}} {{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}} {{.Docker.Config.Healthcheck.Test}}", "opencalls:"+version)
	if want := "10001:10001 [opencalls] [serve] [CMD opencalls health]"; config != want {
		t.Errorf("the image's configuration is %s, want %s", config, want)
	}
	if _, err := os.Stat(root + "/etc/ssl/certs/ca-certificates.crt"); err != nil {
		t.Error(err)
	}
	for _, folder := range []string{"/bin", "/lib", "/usr/lib"} {
		if _, err := os.Stat(root + folder); err == nil {
			t.Errorf("the image has %s", folder)
		}
	}

	inside := []string{"chroot", "--userspec=10001:10001", root, "/usr/bin/opencalls"}
	if out := output(t, append(inside, "version")...); !versionLine.MatchString(out) || strings.Contains(out, "dirty") {
		t.Errorf("version: %s", out)
	}
	programtest.Binary = inside[3]
	servesDemo(t, inside[:3]...) // in a file in /tmp
	p := programtest.StartBy(t, inside[:3:3], "--database-url=sqlite:/data/opencalls.db", "--listen=127.0.0.1:0")
	output(t, append(inside, "health", p.Address)...)
	p.Stop(t)
}

// compose.yaml and haproxy's configuration are read by the programs that they are for.
func TestCompose(t *testing.T) {
	out := output(t, "docker-compose", "--file", source+"/compose.yaml", "config")
	for _, want := range []string{"replicas: 3", "restart: unless-stopped", "stop_grace_period: 45s", "OPENCALLS_DRAIN_DELAY: 5s"} {
		if !strings.Contains(out, want) {
			t.Errorf("compose.yaml lacks %s", want)
		}
	}
	output(t, "haproxy", "-c", "-f", source+"/deploy/haproxy.cfg")
}
