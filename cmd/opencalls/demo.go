package main

import (
	"io"
)

func demoWelcome(w io.Writer, address string) {}
