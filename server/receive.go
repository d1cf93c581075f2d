package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/handlers"
)

// largeBody is the size in bytes from which a body comes into a file, and waits there until it is
// its turn to be held in memory: however many clients send at once, and however slowly, memory
// holds few large bodies.
const largeBody = 64 << 10

// largeBodies returns the turns of large bodies: those whose images are being decoded, and one to
// follow.
func largeBodies(cfg Config) chan struct{} { return make(chan struct{}, cfg.ImageDecoders+1) }

// receivedBody is a request's body that has come whole.
type receivedBody struct {
	start []byte   // the whole of a small body
	file  *os.File // the whole of a large one, else nil
	size  int64
	free  func() // gives the place of a large one back, once
}

// errNoRoom says that a large body can't be kept: its place or the disk's is taken.
var errNoRoom = errors.New("no room for a large body")

var errBodyRead = errors.New("the body was read already")

// Read fails: who wants the body asks for its content.
func (*receivedBody) Read([]byte) (int, error) { return 0, errBodyRead }

// Close gives the file back, which has no name any more, and its place.
func (b *receivedBody) Close() error {
	if b.free != nil {
		defer b.free()
	}
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}

// receiveBody takes in the body of an operation that has one, at the client's pace: how long that
// may take is the HTTP server's to say (its read timeout), and none of the request's own time. There
// are as many places for large bodies as may be on the disk at once.
func receiveBody(cfg Config, op operation, places *places) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if op.requestBody == nil {
			return next
		}
		return func(c echo.Context) error {
			r := c.Request()
			limit := cfg.MaxBodyBytes
			if media, _, _ := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); media == echo.MIMEMultipartForm {
				limit += cfg.Images.MaxBytes
			}
			received, err := receive(r, limit, places)
			if err != nil {
				return err
			}
			defer received.Close()
			r.Body = received
			return next(c)
		}
	}
}

// receive reads a body of at most limit bytes.
func receive(r *http.Request, limit int64, places *places) (*receivedBody, error) {
	tooLarge := &handlers.Problem{Status: http.StatusRequestEntityTooLarge, Detail: "Request body is too large."}
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	sent := io.LimitReader(r.Body, limit+1)
	var start bytes.Buffer
	if r.ContentLength > 0 {
		start.Grow(int(min(r.ContentLength, largeBody)) + bytes.MinRead) // no growing by doubling
	}
	if _, err := start.ReadFrom(io.LimitReader(sent, largeBody)); err != nil {
		return nil, receiveErr(r, err)
	}
	b := &receivedBody{start: start.Bytes(), size: int64(start.Len())}
	if b.size < largeBody {
		return b, nil
	}
	var err error
	if b.free, err = places.take(access.From(r.Context()).UserUUID); err != nil {
		return nil, err
	}
	if err := b.spool(sent); err != nil {
		_ = b.Close()
		return nil, receiveErr(r, err)
	}
	if b.size > limit {
		_ = b.Close()
		return nil, tooLarge
	}
	return b, nil
}

// spool writes the body into a file that nobody else can open and that is gone with the process.
func (b *receivedBody) spool(rest io.Reader) error {
	file, err := os.CreateTemp("", "opencalls-body-")
	if err != nil {
		return err
	}
	b.file = file
	if err := os.Remove(file.Name()); err != nil {
		return err
	}
	b.size, err = io.Copy(file, io.MultiReader(bytes.NewReader(b.start), rest))
	b.start = nil
	return err
}

// receiveErr tells apart whose fault it is that a body was not taken in.
func receiveErr(r *http.Request, err error) error {
	var file *fs.PathError
	switch {
	case errors.As(err, &file): // a disk that is full
		return fmt.Errorf("%w: %w", errNoRoom, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &handlers.Problem{Status: http.StatusRequestTimeout, Detail: "The request body did not arrive in time."}
	case r.Context().Err() != nil:
		return r.Context().Err()
	}
	return malformed("Malformed request: the body could not be read.")
}

// turn waits until the body may be held in memory, which lasts until done is called. Small bodies
// don't wait.
func (b *receivedBody) turn(ctx context.Context, turns chan struct{}) (done func(), err error) {
	if b.file == nil {
		return func() {}, nil
	}
	select {
	case turns <- struct{}{}:
		return func() { <-turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// reader returns a reader of the whole body.
func (b *receivedBody) reader() io.Reader {
	if b.file == nil {
		return bytes.NewReader(b.start)
	}
	return io.NewSectionReader(b.file, 0, b.size)
}

// content returns the whole body.
func (b *receivedBody) content() ([]byte, error) {
	if b.file == nil {
		return b.start, nil
	}
	content := make([]byte, b.size)
	_, err := b.file.ReadAt(content, 0)
	return content, err
}

// contains says whether the body holds a text, without holding the body in memory.
func (b *receivedBody) contains(text string) (bool, error) {
	if b.file == nil {
		return bytes.Contains(b.start, []byte(text)), nil
	}
	if len(text) > largeBody {
		return false, nil
	}
	window, kept := make([]byte, 2*largeBody), 0
	for r := b.reader(); ; {
		n, err := r.Read(window[kept:])
		if bytes.Contains(window[:kept+n], []byte(text)) {
			return true, nil
		}
		if err != nil {
			return false, noEOF(err)
		}
		// What the text may have begun with.
		kept = copy(window, window[max(0, kept+n-len(text)):kept+n])
	}
}

// noEOF makes the end of a body no error.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
