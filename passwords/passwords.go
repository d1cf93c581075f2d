// Package passwords makes and checks the hashes of passwords: Argon2id with 19 MiB of memory.
package passwords

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// The cost of a hash.
const (
	memory  = 19 << 10 // KiB
	passes  = 2
	threads = 1
	saltLen = 16
	keyLen  = 32
)

// MaxLength is how many characters a password has at most.
const MaxLength = 128

var (
	parameters = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, memory, passes, threads)
	pattern    = regexp.MustCompile("^" + regexp.QuoteMeta(parameters) + `[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	encoding   = base64.RawStdEncoding
)

// nobody is a hash that no password has: checking one against it takes as long as against another.
var nobody = parameters + strings.Repeat("A", 22) + "$" + strings.Repeat("A", 43)

// Hash returns the hash of a password, with a salt of its own.
func Hash(password string) string {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // it never fails
	return parameters + encoding.EncodeToString(salt) + "$" + encoding.EncodeToString(key(password, salt))
}

// IsHash says whether a text is a hash as Hash makes them.
func IsHash(text string) bool { return pattern.MatchString(text) }

// Matches says whether the password has the hash. It takes as long for "", which no password has.
func Matches(hash, password string) bool {
	known := IsHash(hash)
	if !known {
		hash = nobody
	}
	salt, want, _ := strings.Cut(strings.TrimPrefix(hash, parameters), "$")
	saltBytes, _ := encoding.DecodeString(salt)
	got := encoding.EncodeToString(key(password, saltBytes))
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 && known
}

func key(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, passes, memory, threads, keyLen)
}

// checks bounds how many passwords are checked at once.
var checks = semaphore.NewWeighted(2)

// Checking waits for one of the two turns in which passwords are checked, and runs check in it. Its error is that
// of the context, or of check.
func Checking(ctx context.Context, check func() error) error {
	if err := checks.Acquire(ctx, 1); err != nil {
		return err
	}
	defer checks.Release(1)
	return check()
}
