package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/opencalls/opencalls/store"
)

type userCommand struct {
	Create userCreateCommand `cmd:"" help:"Create a user."`
}

type userCreateCommand struct {
	databaseFlags
	Username string `arg:"" help:"1 to 128 lowercase letters, numbers and @/./+/-/_ characters."`
	FullName string `name:"full-name" help:"Full name."`
	Email    string `help:"E-mail address."`
	Staff    bool   `help:"May do everything."`
}

// Run creates the user and prints their UUID.
func (c userCreateCommand) Run(env environment) error {
	if err := store.CheckUsername(c.Username); err != nil {
		return usageError{err}
	}
	s, err := c.openMigrated(env)
	if err != nil {
		return err
	}
	defer s.Close()
	var user store.User
	err = s.Write(env.ctx, store.Actor{}, func(tx *store.Tx) error {
		user, err = tx.CreateUser(store.User{Username: c.Username, FullName: c.FullName, Email: c.Email, IsStaff: c.Staff, IsActive: true})
		return err
	})
	var taken *store.UniqueError
	if errors.As(err, &taken) {
		return fmt.Errorf("username %s is taken", c.Username)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.stdout, user.UUID)
	return err
}

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Create a token for a user and print it: it is shown only once."`
	Revoke tokenRevokeCommand `cmd:"" help:"Revoke every token of a user."`
}

type tokenCreateCommand struct {
	databaseFlags
	Username string         `arg:"" help:"Whose token it is."`
	Expires  *time.Duration `help:"After what time it ends, such as 720h; never unless given."`
}

// Run creates the token and prints it.
func (c tokenCreateCommand) Run(env environment) error {
	if c.Expires != nil && *c.Expires <= 0 {
		return usageError{errors.New("--expires: must lie in the future")}
	}
	s, err := c.openMigrated(env)
	if err != nil {
		return err
	}
	defer s.Close()
	var secret [20]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return err
	}
	token := hex.EncodeToString(secret[:])
	err = s.Write(env.ctx, store.Actor{}, func(tx *store.Tx) error {
		user, err := tx.UserByName(env.ctx, c.Username)
		if err != nil {
			return userErr(c.Username, err)
		}
		var expires *time.Time
		if c.Expires != nil {
			end := tx.Now().Add(*c.Expires)
			expires = &end
		}
		return tx.CreateToken(user.UUID, store.Digest(token), expires)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.stdout, token)
	return err
}

type tokenRevokeCommand struct {
	databaseFlags
	Username string `arg:"" help:"Whose tokens are revoked."`
}

// Run revokes the tokens and prints how many there were.
func (c tokenRevokeCommand) Run(env environment) error {
	s, err := c.openMigrated(env)
	if err != nil {
		return err
	}
	defer s.Close()
	revoked := 0
	err = s.Write(env.ctx, store.Actor{}, func(tx *store.Tx) error {
		user, err := tx.UserByName(env.ctx, c.Username)
		if err != nil {
			return userErr(c.Username, err)
		}
		revoked, err = tx.RevokeTokens(user.UUID)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%d tokens revoked\n", revoked)
	return err
}

func userErr(username string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no user %s", username)
	}
	return err
}
