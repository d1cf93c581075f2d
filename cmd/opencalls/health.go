package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

type healthCommand struct {
	URL     string `arg:"" optional:"" help:"Of the server; unless given, the one that --listen and --tls-cert make."`
	Listen  string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"What serve listens on."`
	TLSCert string `name:"tls-cert" placeholder:"FILE" help:"What serve has: it serves HTTPS."`
}

// Run asks the server whether it is ready. One on this machine shows a certificate for its public name,
// which need not be checked: nothing secret is sent.
func (c healthCommand) Run(env environment) error {
	ctx, cancel := context.WithTimeout(env.ctx, 5*time.Second)
	defer cancel()
	client := http.DefaultClient
	if c.URL == "" && c.TLSCert != "" {
		c.URL = "https://" + c.Listen
		client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // see above
	}
	c.URL = cmp.Or(c.URL, "http://"+c.Listen)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+"/readyz", nil)
	if err != nil {
		return usageError{err}
	}
	if request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return usageError{errors.New("health: want a URL such as http://127.0.0.1:8080")}
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", response.Status)
	}
	_, err = fmt.Fprintln(env.stdout, "ready")
	return err
}
