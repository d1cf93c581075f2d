//go:build chaos || soak

package chaos

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store"
)

const (
	workers    = 8 // who write at the same time
	grantees   = 4 // who are given roles
	staffToken = "token-of-staff"
	role       = "CUSTOMER.CALL_ORGANIZER"
	base       = "/api/call-managing-organisations/"
)

// id is the id of the nth object of a kind, which is a hexadecimal digit, in a set: the world's
// own objects are set 0, each batch of an import has a number of its own.
func id(kind byte, set, n int) string {
	return fmt.Sprintf("%c%07x-0000-4000-8000-%012x", kind, set, n)
}

// What a worker has: an organisation of its own, and a customer that is none at first.
func ownOrganisation(worker int) string { return id('0', 0, worker) }
func spareCustomer(worker int) string   { return id('c', 0, workers+worker) }
func grantee(n int) string              { return id('e', 0, 1+n) }

// populate migrates an empty database, imports the world and returns the flag that names it.
func populate(t *testing.T, databaseURL string) (flag string) {
	t.Helper()
	flag = "--database-url=" + databaseURL
	programtest.Run(t, "migrate", "up", flag)
	programtest.Run(t, "import", worldFile(t), flag)
	return flag
}

// worldFile writes an import file with what the workers have, and returns its path.
func worldFile(t *testing.T) string {
	t.Helper()
	var lines bytes.Buffer
	for n := range 2 * workers {
		fmt.Fprintf(&lines, `{"customers": {"uuid": %q, "name": "Customer %d"}}`+"\n", id('c', 0, n), n)
	}
	fmt.Fprintf(&lines, `{"users": {"uuid": %q, "username": "staff", "is_staff": true, "token": %q}}`+"\n", id('e', 0, 0), staffToken)
	for n := range grantees {
		fmt.Fprintf(&lines, `{"users": {"uuid": %q, "username": "user%d"}}`+"\n", grantee(n), n)
	}
	for n := range workers {
		fmt.Fprintf(&lines, `{"call_managing_organisations": {"uuid": %q, "customer": %q}}`+"\n", ownOrganisation(n), id('c', 0, n))
	}
	return writeFile(t, "world.jsonl", lines.Bytes())
}

// batchSize is how many customers a batch holds, each with an organisation, an image and a grant.
// It takes an import two statements or more to write as many rows.
const batchSize = store.ImportBatch + 100

// batch is an import file of many objects, in lines: the customers', the organisations', the grants'.
func batch(set int) [][]byte {
	var lines bytes.Buffer
	for n := range batchSize {
		fmt.Fprintf(&lines, `{"customers": {"uuid": %q, "name": "Customer %d of batch %d"}}`+"\n", id('c', set, n), n, set)
	}
	for n := range batchSize {
		picture := base64.StdEncoding.EncodeToString(picture(uint64(set), uint64(n)))
		fmt.Fprintf(&lines, `{"call_managing_organisations": {"uuid": %q, "customer": %q, "image": "data:image/png;base64,%s"}}`+"\n",
			id('0', set, n), id('c', set, n), picture)
	}
	for n := range batchSize {
		fmt.Fprintf(&lines, `{"user_roles": {"uuid": %q, "user": %q, "role": %q, "scope": {"call_managing_organisation": %q}}}`+"\n",
			id('f', set, n), grantee(0), role, id('0', set, n))
	}
	return bytes.SplitAfter(lines.Bytes(), []byte("\n"))
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// picture is an image of some kilobytes, another one for each pair of seeds.
func picture(seed1, seed2 uint64) []byte {
	random := rand.NewPCG(seed1, seed2)
	pixels := image.NewGray(image.Rect(0, 0, 48, 48))
	for i := range pixels.Pix {
		pixels.Pix[i] = byte(random.Uint64())
	}
	var file bytes.Buffer
	if err := png.Encode(&file, pixels); err != nil {
		panic(err) // into memory
	}
	return file.Bytes()
}
