package main

import (
	"io"
	"log/slog"
)

// LogFlags are those of the log, which goes to standard error.
type LogFlags struct {
	Level  string `name:"log-level" default:"info" enum:"debug,info,warn,error" help:"Least level of the lines in the log: debug, info, warn or error. Health checks are at debug."`
	Format string `name:"log-format" default:"json" enum:"json,text" help:"Format of the log: json or text."`
}

// logger writes a line for each event.
func (f LogFlags) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.Level)) // one of those that the flag takes
	options := &slog.HandlerOptions{Level: level}
	if f.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
