package storetest

import (
	"context"
	"database/sql/driver"
	"slices"
	"sync"

	"github.com/opencalls/opencalls/store"
)

// Statements records every statement that reaches the driver, with BEGIN, COMMIT and
// ROLLBACK, which database/sql sends as calls of their own. The store prepares no statements by
// itself.
type Statements struct {
	mu  sync.Mutex
	all []Statement
}

// Statement is a recorded statement and what the driver was given with it.
type Statement struct {
	Text      string
	Arguments []driver.NamedValue
}

// Use is the Option that records the store's statements, those of opening it too.
func (s *Statements) Use(cfg *store.Config) {
	WrapConnector(cfg, func(c driver.Connector) driver.Connector { return recordingConnector{c, s} })
}

// Reset forgets what was recorded.
func (s *Statements) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}

// All returns the texts of the recorded statements in order.
func (s *Statements) All() []string {
	var texts []string
	for _, statement := range s.WithArguments() {
		texts = append(texts, statement.Text)
	}
	return texts
}

// WithArguments returns the recorded statements in order.
func (s *Statements) WithArguments() []Statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func (s *Statements) add(text string, arguments ...driver.NamedValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, Statement{text, slices.Clone(arguments)})
}

type recordingConnector struct {
	driver.Connector
	statements *Statements
}

func (c recordingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &recordingConn{conn.(connection), c.statements}, nil
}

// connection is what both engines' drivers offer.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.Pinger
	driver.QueryerContext
}

// recordingConn records what it passes on.
type recordingConn struct {
	connection
	statements *Statements
}

func (c *recordingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.statements.add("BEGIN")
	tx, err := c.connection.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return recordingTx{tx, c.statements}, nil
}

func (c *recordingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.statements.add(query, args...)
	return c.connection.ExecContext(ctx, query, args)
}

func (c *recordingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	defer c.statements.add(query, args...) // a test may wait until the database has answered
	return c.connection.QueryContext(ctx, query, args)
}

// CheckNamedValue is pgx's own on Postgres.
func (c *recordingConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.connection.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// ResetSession is pgx's own on Postgres.
func (c *recordingConn) ResetSession(ctx context.Context) error {
	if r, ok := c.connection.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

type recordingTx struct {
	driver.Tx
	statements *Statements
}

func (t recordingTx) Commit() error {
	t.statements.add("COMMIT")
	return t.Tx.Commit()
}

func (t recordingTx) Rollback() error {
	t.statements.add("ROLLBACK")
	return t.Tx.Rollback()
}
