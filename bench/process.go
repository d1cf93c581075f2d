package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a server that is measured.
type process struct {
	command *exec.Cmd
	address string
}

// startServer starts the program on a database. Its log goes to a file, as in production. The rate
// limits count each request and never refuse one.
func startServer(program, databaseURL, logFile string) (*process, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Command(program, "serve", "--database-url", databaseURL, "--listen", "127.0.0.1:0",
		"--rate-limit-token", "1000000", "--rate-limit-address", "1000000")
	command.Stderr = log
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "listening on http://")
	if err != nil || !found {
		_ = command.Process.Kill()
		_ = command.Wait()
		text, _ := os.ReadFile(logFile)
		return nil, fmt.Errorf("the server did not start: %s%s", line, text)
	}
	return &process{command, address}, nil
}

func (p *process) stop() error {
	if p == nil {
		return nil
	}
	return errors.Join(p.command.Process.Signal(syscall.SIGTERM), p.command.Wait())
}

// peakMemory is the most that a process held resident that has ended, in MiB.
func peakMemory(ended *exec.Cmd) float64 {
	return float64(ended.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
}

// cpuTime is the processor time that a process has used. Linux has a clock for each process, of which
// clock_getcpuclockid(3) makes the number so.
func cpuTime(pid int) (time.Duration, error) {
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &used); err != nil {
		return 0, fmt.Errorf("the processor time of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// run runs a command in a directory and returns how long it took and the most memory that it held, in MiB.
func run(ctx context.Context, dir, program string, arguments ...string) (time.Duration, float64, error) {
	begin := time.Now()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = dir
	var printed bytes.Buffer
	command.Stdout, command.Stderr = &printed, &printed
	if err := command.Run(); err != nil {
		return 0, 0, fmt.Errorf("%s %s: %w: %s", filepath.Base(program), arguments[0], err, &printed)
	}
	return time.Since(begin), peakMemory(command), nil
}

// buildRevision builds the program of a revision and returns its path.
func buildRevision(ctx context.Context, dir, revision string) (string, error) {
	tree, program := filepath.Join(dir, "tree"), filepath.Join(dir, "opencalls-base")
	if _, _, err := run(ctx, ".", "git", "worktree", "add", "--quiet", "--detach", tree, revision); err != nil {
		return "", err
	}
	_, _, err := run(ctx, tree, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./cmd/opencalls")
	// It goes even where the run was interrupted.
	_, _, removed := run(context.WithoutCancel(ctx), ".", "git", "worktree", "remove", "--force", tree)
	return program, errors.Join(err, removed)
}

// defaultRevision is the last tag, or else the commit before the last one.
func defaultRevision(ctx context.Context) string {
	tag, err := exec.CommandContext(ctx, "git", "describe", "--tags", "--abbrev=0").Output()
	if err != nil {
		return "HEAD~1"
	}
	return strings.TrimSpace(string(tag))
}
