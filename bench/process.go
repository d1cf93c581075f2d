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
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.command.Wait()
}

// peakMemory is the most that the process has held resident, in MiB.
func (p *process) peakMemory() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		return 0, errors.New("/proc/PID/status names no VmHWM")
	}
	return kib / 1024, nil
}

// cpuTime is the processor time that a process has used. It is read from its threads' schedstat, in
// nanoseconds: /proc/PID/stat counts in hundredths of a second, too coarse for sixteen backends.
func cpuTime(pid int) (time.Duration, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	if len(threads) == 0 {
		return 0, fmt.Errorf("process %d: /proc has no schedstat: the benchmark needs Linux", pid)
	}
	var sum time.Duration
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			return 0, err
		}
		var used int64
		if _, err := fmt.Sscan(string(text), &used); err != nil {
			return 0, err
		}
		sum += time.Duration(used)
	}
	return sum, nil
}

// runProgram runs a command and returns how long it took and the most memory that it held, in MiB.
func runProgram(ctx context.Context, program string, arguments ...string) (time.Duration, float64, error) {
	begin := time.Now()
	command := exec.CommandContext(ctx, program, arguments...)
	var printed bytes.Buffer
	command.Stdout, command.Stderr = &printed, &printed
	if err := command.Run(); err != nil {
		return 0, 0, fmt.Errorf("opencalls %s: %w: %s", arguments[0], err, &printed)
	}
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, errors.New("the system does not tell the memory of a process")
	}
	return time.Since(begin), float64(usage.Maxrss) / 1024, nil
}

// buildRevision builds the program of a revision and returns its path.
func buildRevision(ctx context.Context, dir, revision string) (string, error) {
	tree, program := filepath.Join(dir, "tree"), filepath.Join(dir, "opencalls-base")
	if err := runIn(ctx, ".", "git", "worktree", "add", "--quiet", "--detach", tree, revision); err != nil {
		return "", err
	}
	err := runIn(ctx, tree, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./cmd/opencalls")
	// It goes even where the run was interrupted.
	removed := runIn(context.WithoutCancel(ctx), ".", "git", "worktree", "remove", "--force", tree)
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

func runIn(ctx context.Context, dir, program string, arguments ...string) error {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return nil
}
