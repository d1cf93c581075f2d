package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/opencalls/opencalls/passwords"
	"github.com/opencalls/opencalls/store"
)

type userCommand struct {
	Create     userCreateCommand     `cmd:"" help:"Create a user and print their UUID."`
	List       userListCommand       `cmd:"" help:"List the users: UUID, username, what they may do, full name."`
	Password   userPasswordCommand   `cmd:"" help:"Give a user a password."`
	Deactivate userDeactivateCommand `cmd:"" help:"Keep a user from signing in; their tokens are refused at once."`
}

type userCreateCommand struct {
	DatabaseFlags
	Username string `arg:"" help:"1 to 128 lowercase letters, numbers and @/./+/-/_ characters."`
	FullName string `name:"full-name" help:"Full name, which becomes the first name."`
	Email    string `help:"E-mail address."`
	Staff    bool   `help:"May do everything."`
	Password bool   `name:"password-stdin" env:"-" help:"Read a password from standard input."`
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
	hash := ""
	if c.Password {
		var err error
		if hash, err = readPassword(env); err != nil {
			return err
		}
	}
	user := store.User{
		Username: c.Username, PasswordHash: hash, FirstName: c.FullName, Email: c.Email, IsStaff: c.Staff, IsActive: true,
	}
	err := c.write(env, func(tx *store.Tx) (err error) {
		user, err = tx.CreateUser(user, nil)
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

// readPassword reads a password from standard input, without its line's end, and returns its hash.
func readPassword(env environment) (string, error) {
	text, err := io.ReadAll(io.LimitReader(env.stdin, 4*passwords.MaxLength+3))
	if err != nil {
		return "", fmt.Errorf("--password-stdin: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	length := utf8.RuneCountInString(password)
	if length == 0 || length > passwords.MaxLength || !utf8.ValidString(password) || strings.ContainsAny(password, "\x00\r\n") {
		return "", fmt.Errorf("--password-stdin: a password is one line of 1 to %d characters", passwords.MaxLength)
	}
	return passwords.Hash(password), nil
}

type userPasswordCommand struct {
	DatabaseFlags
	Username string `arg:"" help:"Whose password it is."`
	Password bool   `name:"password-stdin" env:"-" required:"" help:"Read the password from standard input."`
}

// Run sets the password.
func (c userPasswordCommand) Run(env environment) error {
	hash, err := readPassword(env)
	if err != nil {
		return err
	}
	return c.write(env, func(tx *store.Tx) error {
		user, err := userByName(env, tx, c.Username)
		if err != nil {
			return err
		}
		return tx.SetPassword(user.UUID, hash)
	})
}

type userDeactivateCommand struct {
	DatabaseFlags
	Username string `arg:"" help:"Who may no longer sign in."`
}

// Run deactivates the user.
func (c userDeactivateCommand) Run(env environment) error {
	return c.write(env, func(tx *store.Tx) error {
		user, err := userByName(env, tx, c.Username)
		if err != nil {
			return err
		}
		return tx.Deactivate(user.UUID)
	})
}

type userListCommand struct{ DatabaseFlags }

// Run prints a line for each user, in the order of their usernames.
func (c userListCommand) Run(env environment) error {
	return c.withMigrated(env, func(s *store.Store) error {
		return s.EachUser(env.ctx, func(u store.User) error {
			marks := []string{}
			for mark, has := range map[string]bool{"staff": u.IsStaff, "support": u.IsSupport, "inactive": !u.IsActive} {
				if has {
					marks = append(marks, mark)
				}
			}
			slices.Sort(marks)
			_, err := fmt.Fprintf(env.stdout, "%s\t%s\t%s\t%s\n", u.UUID, u.Username, strings.Join(marks, ","), u.FullName)
			return err
		})
	})
}

type tokenListCommand struct{ DatabaseFlags }

// Run prints a line for each token: whose it is, when it was made, when it ends.
func (c tokenListCommand) Run(env environment) error {
	return c.withMigrated(env, func(s *store.Store) error {
		return s.EachToken(env.ctx, func(username string, t store.Token) error {
			ends := "never"
			if t.Expires != nil {
				ends = t.Expires.UTC().Format(time.RFC3339)
			}
			_, err := fmt.Fprintf(env.stdout, "%s\t%s\t%s\n", username, t.Created.UTC().Format(time.RFC3339), ends)
			return err
		})
	})
}

type tokenCommand struct {
	List   tokenListCommand   `cmd:"" help:"List the tokens: username, when it was made, when it ends."`
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
	token := store.NewToken()
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
