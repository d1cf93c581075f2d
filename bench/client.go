package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// host is what requests name as their host, so that answers, which hold URLs, are the same
// whatever port a server got.
const host = "calls.example.com"

// connection speaks HTTP/1.1 with one server, one request after the other. It is written by hand
// because net/http's client costs more than the servers that are measured, on the same machine.
type connection struct {
	net.Conn
	in *bufio.Reader
}

// answer is what a server answers; Headers are those that matter, in order, without those that
// differ from one answer to the next.
type answer struct {
	Status  int
	Headers []string
	Body    string
}

func dial(address string) (*connection, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{conn, bufio.NewReaderSize(conn, 1<<16)}, nil
}

// request is what is sent, whole.
type request struct {
	text   []byte
	isHead bool // its answer has no body
}

func newRequest(method, target, token, body string) request {
	text := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Token " + token + "\r\n"
	if body != "" {
		text += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return request{[]byte(text + "\r\n" + body), method == "HEAD"}
}

// maxWait is how long an answer may take.
const maxWait = 30 * time.Second

// do sends a request and returns its answer's status; the rest is read and thrown away, unless
// keep is not nil.
func (c *connection) do(r request, keep *answer) (int, error) {
	if err := c.SetDeadline(time.Now().Add(maxWait)); err != nil {
		return 0, err
	}
	if _, err := c.Write(r.text); err != nil {
		return 0, err
	}
	h, err := c.head(keep)
	if err != nil || r.isHead {
		return h.status, err
	}
	var text strings.Builder
	body := io.Discard
	if keep != nil {
		body = &text
	}
	if h.chunked {
		err = c.chunks(body)
	} else {
		err = c.take(body, h.length)
	}
	if keep != nil {
		keep.Body = text.String()
	}
	return h.status, err
}

// head is what an answer says before its body.
type head struct {
	status, length int
	chunked        bool
}

func (c *connection) head(keep *answer) (head, error) {
	var h head
	line, err := c.line()
	if err != nil {
		return h, err
	}
	if len(line) < 12 || !has(line, "HTTP/1.1 ") {
		return h, fmt.Errorf("status line %q", line)
	}
	if h.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return h, err
	}
	if keep != nil {
		keep.Status = h.status
	}
	for {
		line, err := c.line()
		if err != nil || len(line) == 0 {
			return h, err
		}
		switch {
		case has(line, "Content-Length: "):
			if h.length, err = strconv.Atoi(string(line[len("Content-Length: "):])); err != nil {
				return h, err
			}
		case has(line, "Transfer-Encoding: chunked"):
			h.chunked = true
		}
		if keep != nil {
			keep.Headers = append(keep.Headers, string(line))
		}
	}
}

// line returns a line without its end; it is good until the next is read.
func (c *connection) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return nil, errors.New("a line of the header does not end as it should")
	}
	return line[:len(line)-2], nil
}

func has(line []byte, prefix string) bool {
	return len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix
}

func (c *connection) take(body io.Writer, length int) error {
	if body == io.Discard {
		_, err := c.in.Discard(length)
		return err
	}
	_, err := io.CopyN(body, c.in, int64(length))
	return err
}

func (c *connection) chunks(body io.Writer) error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		length, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return err
		}
		if err := c.take(body, int(length)); err != nil {
			return err
		}
		if _, err := c.in.Discard(2); err != nil { // the line's end after the chunk
			return err
		}
		if length == 0 {
			return nil
		}
	}
}
