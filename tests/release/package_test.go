//go:build release

package release

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// The Debian package installs the program with its user, and takes all but the data along when it goes.
func TestPackage(t *testing.T) {
	inside := func(script string) string { return output(t, "chroot", debian, "sh", "-ec", script) }
	deb := "opencalls_" + version + "_amd64.deb"
	output(t, "cp", filepath.Join(dist, deb), debian)
	const starts = "/etc/systemd/system/multi-user.target.wants/opencalls.service"
	startsAtBoot := func(when string, want bool) {
		t.Helper()
		if got := inside("test -L "+starts+" && echo yes || echo no") == "yes\n"; got != want {
			t.Errorf("%s: the service starts with the machine: %t", when, got)
		}
	}
	inside("dpkg -i /" + deb)
	startsAtBoot("installed", true)
	inside("dpkg --remove opencalls; dpkg -i /" + deb)
	startsAtBoot("removed and installed again", true)
	inside("rm " + starts) // systemctl disable
	inside("dpkg -i /" + deb)
	startsAtBoot("disabled and upgraded", false)
	if out := inside("opencalls version"); !versionLine.MatchString(out) {
		t.Errorf("version: %s", out)
	}
	if out := inside("stat -c '%U %a' /etc/default/opencalls /var/lib/opencalls"); out != "root 600\nopencalls 750\n" {
		t.Errorf("owners and modes: %s", out)
	}
	if out := inside("zcat /usr/share/man/man1/opencalls.1.gz"); !strings.Contains(out, `"opencalls 0.1.0"`) {
		t.Errorf("the manual page is of another version: %.200s", out)
	}
	if out := inside("cat /usr/share/doc/opencalls/copyright"); !strings.Contains(out, "gorm.io/gorm") {
		t.Error("the licences are not in the package")
	}

	// The commands of docs/install.md.
	page, err := os.ReadFile(source + "/docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	_, commands, _ := strings.Cut(string(page), "\nas_service() {\n")
	function, commands, _ := strings.Cut(commands, "\n}\n")
	commands, _, _ = strings.Cut(commands, "```")
	out := inside(`sudo() { "$@"; }` + "\nas_service() {\n" + function + "\n}\nas_service opencalls migrate up\n" + commands)
	if !strings.Contains(out, "token.create\talice (") {
		t.Errorf("the audit event of the first token is not listed: %s", out)
	}
	// What systemd does, which is not here.
	service := `set -a; . /etc/default/opencalls; cd /var/lib/opencalls
		exec setpriv --reuid=opencalls --regid=opencalls --clear-groups "$@" --listen=127.0.0.1:0`
	programtest.Binary = "opencalls"
	p := programtest.StartBy(t, []string{"chroot", debian, "sh", "-ec", service, "sh"})
	if status := getStatus(t, p.Address+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d", status)
	}
	p.Stop(t)

	inside("dpkg --purge opencalls")
	startsAtBoot("purged", false)
	if out := inside("ls -d /usr/bin/opencalls /etc/default/opencalls /var/lib/opencalls/opencalls.db 2>&1 || true"); strings.Count(out, "No such file") != 2 {
		t.Errorf("after the purge: %s", out)
	}
}

func getStatus(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// The service may do little, and systemd finds nothing wrong with it.
func TestService(t *testing.T) {
	unit, err := os.ReadFile(source + "/deploy/debian/opencalls.service")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "opencalls.service")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(unit), "/usr/bin/opencalls", "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := output(t, "systemd-analyze", "verify", "--man=no", file); out != "" {
		t.Error(out)
	}
	output(t, "systemd-analyze", "security", "--offline=yes", "--threshold=30", file)
	if strings.Contains(string(unit), "\nProcSubset=pid\n") {
		t.Error("the alert OpencallsRestarts lacks process_start_time_seconds, which comes from /proc/stat")
	}
}
