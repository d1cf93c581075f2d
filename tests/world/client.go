package world

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client sends requests to a server.
type Client struct {
	URL  string // the server's, without a path
	HTTP *http.Client
}

// NewClient returns a client that doesn't follow redirects.
func NewClient(serverURL string) *Client {
	return &Client{URL: serverURL, HTTP: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Request is what is sent: Target is a path and a query, as they are on the wire.
type Request struct {
	Method, Target string
	Token          string      // none: ""
	Header         http.Header // beyond those of the token and the body
	Body           Body
}

// Body is a request's body and its Content-Type; its zero value is neither.
type Body struct {
	MediaType string
	Content   string
	Chunked   bool // sent without a Content-Length
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Send sends a request and reads the answer to its end.
func (c *Client) Send(r Request) (Answer, error) {
	target, err := url.Parse(c.URL + r.Target)
	if err != nil {
		return Answer{}, err
	}
	sent := &http.Request{Method: r.Method, URL: target, Header: http.Header{}, Host: target.Host}
	for name, values := range r.Header {
		sent.Header[name] = values
	}
	if r.Token != "" {
		sent.Header.Set("Authorization", "Token "+r.Token)
	}
	if r.Body.MediaType != "" {
		sent.Header.Set("Content-Type", r.Body.MediaType)
	}
	if content := r.Body.Content; content != "" {
		sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }
		sent.Body, _ = sent.GetBody()
		sent.ContentLength = int64(len(content))
		if r.Body.Chunked {
			sent.ContentLength = -1
		}
	}
	received, err := c.HTTP.Do(sent)
	if err != nil {
		return Answer{}, err
	}
	defer received.Body.Close()
	content, err := io.ReadAll(received.Body)
	return Answer{received.StatusCode, received.Header, string(content)}, err
}

// JSON is a body of JSON.
func JSON(content string) Body { return Body{MediaType: "application/json", Content: content} }

// Form is a urlencoded body.
func Form(content string) Body {
	return Body{MediaType: "application/x-www-form-urlencoded", Content: content}
}

// Part is a part of a multipart body: the lines of its header, and its content.
type Part struct{ Header, Content string }

// Text is a part that is no file.
func Text(name, value string) Part {
	return Part{fmt.Sprintf("Content-Disposition: form-data; name=%q", name), value}
}

// File is a part that is a file.
func File(name, filename, mediaType, content string) Part {
	header := fmt.Sprintf("Content-Disposition: form-data; name=%q; filename=%q\r\nContent-Type: %s", name, filename, mediaType)
	return Part{header, content}
}

// Multipart is a multipart body, the same in every run.
func Multipart(parts ...Part) Body {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--limit\r\n" + p.Header + "\r\n\r\n" + p.Content + "\r\n")
	}
	return Body{MediaType: "multipart/form-data; boundary=limit", Content: b.String() + "--limit--\r\n"}
}

// PNG is a file with an image of one shade of gray.
func PNG(width, height int, shade uint8) string {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = shade
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err) // a buffer takes anything
	}
	return b.String()
}
