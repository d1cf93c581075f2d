package passwords_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/passwords"
)

func TestMatches(t *testing.T) {
	hash := passwords.Hash("secret")
	if !passwords.IsHash(hash) || hash == passwords.Hash("secret") {
		t.Errorf("%s is no hash with a salt of its own", hash)
	}
	for password, want := range map[string]bool{"secret": true, "Secret": false, "": false, "secret ": false} {
		if passwords.Matches(hash, password) != want {
			t.Errorf("%q matches is %v", password, !want)
		}
	}
	for _, wrong := range []string{"", "secret", hash + "A", hash[:len(hash)-1], strings.Replace(hash, "m=19456", "m=9", 1)} {
		if passwords.IsHash(wrong) || passwords.Matches(wrong, "secret") || passwords.Matches(wrong, "") {
			t.Errorf("%q passes for a hash", wrong)
		}
	}
}

// Two passwords are checked at once; a third waits, as long as its request does.
func TestChecking(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	err := passwords.Checking(ctx, func() error {
		return passwords.Checking(ctx, func() error {
			cancel()
			return passwords.Checking(ctx, func() error { return errors.New("a third at once") })
		})
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
