//go:build release

package release

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/fixture"
)

// Two releases of the same sources have the same bytes, whatever the folder and the environment.
func TestSameBytes(t *testing.T) {
	t.Setenv("TZ", "Asia/Kathmandu")
	t.Setenv("LC_ALL", "C.UTF-8")
	again := filepath.Join(t.TempDir(), "dist")
	if err := makeRelease(filepath.Join(t.TempDir(), "another", "folder"), again); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dist)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 5 {
		t.Errorf("the release has %d files", len(files))
	}
	for _, file := range files {
		first, err := os.ReadFile(filepath.Join(dist, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(filepath.Join(again, file.Name()))
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s differs: %v", file.Name(), err)
		}
	}
	output(t, "sh", "-c", `cd "$0" && sha256sum -c SHA256SUMS`, dist)
}

// A version that is none makes no release.
func TestWrongVersion(t *testing.T) {
	for _, wrong := range []string{"", "latest", "v0.1.0", "0.1"} {
		out, err := exec.Command(source+"/tools/release.sh", wrong).CombinedOutput()
		if err == nil || string(out) != "usage: make release VERSION=0.1.0\n" {
			t.Errorf("%q: %v %s", wrong, err, out)
		}
	}
}

var versionLine = regexp.MustCompile(`^opencalls 0\.1\.0 \(revision [0-9a-f]{40}(-dirty)? of 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ, go\S+ linux/(\w+)\)\n$`)

// The archive, unpacked in an empty Debian, serves the demo world in one command.
func TestArchive(t *testing.T) {
	output(t, "tar", "-xzf", filepath.Join(dist, "opencalls-"+version+"-linux-amd64.tar.gz"), "-C", debian)
	programtest.Binary = "/opencalls-" + version + "-linux-amd64/opencalls"
	if out := output(t, "chroot", debian, programtest.Binary, "version"); !versionLine.MatchString(out) || !strings.Contains(out, "linux/amd64") {
		t.Errorf("version: %s", out)
	}
	servesDemo(t, "chroot", debian)
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

// What the pages in the archive link to is in it too, but for what only those who change the program need.
func TestArchiveHasWhatItsPagesName(t *testing.T) {
	folder := t.TempDir()
	output(t, "tar", "-xzf", filepath.Join(dist, "opencalls-"+version+"-linux-amd64.tar.gz"), "-C", folder, "--strip-components=1")
	pages, err := filepath.Glob(filepath.Join(folder, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, filepath.Join(folder, "README.md"))
	found := 0
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(content), -1) {
			found++
			_, err := os.Stat(filepath.Join(filepath.Dir(page), match[1]))
			if err != nil && match[1] != "../schemathesis.toml" {
				t.Errorf("%s links to %s", filepath.Base(page), match[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d links", found)
	}
}

// The program for the other architecture keeps data too.
func TestOtherArchitecture(t *testing.T) {
	folder := t.TempDir()
	output(t, "tar", "-xzf", filepath.Join(dist, "opencalls-"+version+"-linux-arm64.tar.gz"), "-C", folder)
	programtest.Binary = filepath.Join(folder, "opencalls-"+version+"-linux-arm64", "opencalls")
	if out := output(t, "qemu-aarch64-static", programtest.Binary, "version"); !versionLine.MatchString(out) || !strings.Contains(out, "linux/arm64") {
		t.Errorf("version: %s", out)
	}
	servesDemo(t, "qemu-aarch64-static")
}

// servesDemo starts programtest.Binary by another program, and asks for an organisation.
func servesDemo(t *testing.T, by ...string) {
	t.Helper()
	p := programtest.StartBy(t, by, "--demo", "--database-url=sqlite::memory:", "--listen=127.0.0.1:0")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Address+"/api/call-managing-organisations/?page_size=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Token "+fixture.DemoStaffToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "Ångström Valley") {
		t.Errorf("%d %v: %s", response.StatusCode, err, body)
	}
	p.Stop(t)
}
