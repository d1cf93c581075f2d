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
	DatabaseFlags
	Username string `arg:"" help:"1 to 128 lowercase letters, numbers and @/./+/-/_ characters."`
	FullName string `name:"full-name" help:"Full name, which becomes the first name."`
	Email    string `help:"E-mail address."`
	Staff    bool   `help:"May do everything."`
}

// AfterApply refuses a wrong username or e-mail address.
func (c userCreateCommand) AfterApply() error {
	if err := store.CheckEmail(c.Email); err != nil {
		return fmt.Errorf("--email: %w", err)
	}
	return store.CheckUsername(c.Username)
}

// Run creates the user and prints their UUID.
func (c userCreateCommand) Run(env environment) error {
	user := store.User{
		Username: c.Username, FirstName: c.FullName, Email: c.Email, IsStaff: c.Staff, IsActive: true,
	}
	err := c.write(env, func(tx *store.Tx) (err error) {
		user, err = tx.CreateUser(user)
		return err
	})
	var taken *store.UniqueError
	if errors.As(err, &taken) {
		return fmt.Errorf("username %s is taken", c.Username)
	}
	if err == nil {
		fmt.Fprintln(env.stdout, user.UUID)
	}
	return err
}

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Create a token for a user and print it: it is shown only once."`
	Revoke tokenRevokeCommand `cmd:"" help:"Revoke every token of a user."`
}

type tokenCreateCommand struct {
	DatabaseFlags
	Username string         `arg:"" help:"Whose token it is."`
	Expires  *time.Duration `help:"After what time it ends, such as 720h; never unless given."`
}

// AfterApply refuses a token that has expired when it is made.
func (c tokenCreateCommand) AfterApply() error {
	if c.Expires != nil && *c.Expires <= 0 {
		return errors.New("--expires: must lie in the future")
	}
	return nil
}

// Run creates the token and prints it.
func (c tokenCreateCommand) Run(env environment) error {
	secret := make([]byte, 20)
	_, _ = rand.Read(secret) // it never fails
	token := hex.EncodeToString(secret)
	err := c.write(env, func(tx *store.Tx) error {
		user, err := userByName(env, tx, c.Username)
		if err != nil {
			return err
		}
		var expires *time.Time
		if c.Expires != nil {
			expires = new(tx.Now().Add(*c.Expires))
		}
		return tx.CreateToken(user.UUID, store.Digest(token), expires)
	})
	if err == nil {
		fmt.Fprintln(env.stdout, token)
	}
	return err
}

type tokenRevokeCommand struct {
	DatabaseFlags
	Username string `arg:"" help:"Whose tokens are revoked."`
}

// Run revokes the tokens and prints how many there were.
func (c tokenRevokeCommand) Run(env environment) error {
	revoked := 0
	err := c.write(env, func(tx *store.Tx) error {
		user, err := userByName(env, tx, c.Username)
		if err == nil {
			revoked, err = tx.RevokeTokens(user.UUID)
		}
		return err
	})
	if err == nil {
		fmt.Fprintln(env.stdout, counted(revoked, "token")+" revoked")
	}
	return err
}

func userByName(env environment, tx *store.Tx, username string) (store.User, error) {
	user, err := tx.UserByName(env.ctx, username)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("there is no user %s", username)
	}
	return user, err
}
