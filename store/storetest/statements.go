package storetest

import (
	"context"
	"database/sql/driver"
	"errors"
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
func (s *Statements) Use(cfg *store.Config) { WrapConnector(cfg, s.Wrap) }

// Wrap makes a connector's connections record their statements.
func (s *Statements) Wrap(c driver.Connector) driver.Connector { return recordingConnector{c, s} }

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

// Count is how many were recorded.
func (s *Statements) Count() int { return len(s.All()) }

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
	return &recordingConn{conn, c.statements}, nil
}

// recordingConn has every optional method of a connection that database/sql asks for. What
// the driver lacks is answered as database/sql would do without the method.
type recordingConn struct {
	driver.Conn
	statements *Statements
}

var _ interface {
	driver.ConnBeginTx
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
} = (*recordingConn)(nil)

// record keeps a statement that the driver took: ErrSkip sends database/sql another way.
func (s *Statements) record(text string, arguments []driver.NamedValue, err error) {
	if !errors.Is(err, driver.ErrSkip) {
		s.add(text, arguments...)
	}
}

func (c *recordingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	b, ok := c.Conn.(driver.ConnBeginTx)
	if !ok {
		return nil, errors.New("storetest: the driver has no BeginTx")
	}
	c.statements.add("BEGIN")
	tx, err := b.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return recordingTx{tx, c.statements}, nil
}

func (c *recordingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	e, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	result, err := e.ExecContext(ctx, query, args)
	c.statements.record(query, args, err)
	return result, err
}

func (c *recordingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	q, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	rows, err := q.QueryContext(ctx, query, args)
	c.statements.record(query, args, err)
	return rows, err
}

func (c *recordingConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *recordingConn) Ping(ctx context.Context) error {
	if p, ok := c.Conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c *recordingConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *recordingConn) IsValid() bool {
	if v, ok := c.Conn.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
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
