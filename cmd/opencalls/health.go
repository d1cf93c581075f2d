package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

type healthCommand struct {
	URL string `arg:"" optional:"" default:"http://127.0.0.1:8080" help:"Of the server."`
}

// Run asks the server whether it is ready.
func (c healthCommand) Run(env environment) error {
	ctx, cancel := context.WithTimeout(env.ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+"/readyz", nil)
	if err != nil {
		return usageError{err}
	}
	if request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return usageError{errors.New("health: want a URL such as http://127.0.0.1:8080")}
	}
	response, err := http.DefaultClient.Do(request)
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
