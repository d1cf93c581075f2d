package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that is measured.
type process struct {
	command *exec.Cmd
	address string
}

// startServer starts a program that prints "listening on http://ADDRESS" once it serves; its
// standard error goes to a file, where the access log of ours is written. in may be nil.
func startServer(logFile string, in io.Reader, program string, arguments ...string) (*process, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Command(program, arguments...)
	command.Stdin, command.Stderr = in, log
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
		_ = command.Process.Kill() // it may live on, whatever it printed
		_ = command.Wait()
		text, _ := os.ReadFile(logFile)
		return nil, fmt.Errorf("%s did not start: %s%s", filepath.Base(program), line, text)
	}
	return &process{command, address}, nil
}

// stop ends the server.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.command.Wait()
}

// ticks is how many times a second Linux counts processor time (USER_HZ), everywhere but on
// machines that are long gone.
const ticks = 100

// cpu is the processor time that the server has used so far, in user and in system mode.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in brackets, which may hold blanks.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat has too few fields")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, err
}

// memory is what the server holds resident, in MiB: now, and at most since it started.
func (p *process) memory() (now, most float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		switch name {
		case "VmRSS":
			now = kib / 1024
		case "VmHWM":
			most = kib / 1024
		}
	}
	if now == 0 || most == 0 {
		return 0, 0, errors.New("/proc/PID/status names no VmRSS or no VmHWM")
	}
	return now, most, nil
}

// checkSystem refuses systems on which the processor time and the memory of another process are
// not to be read in this way.
func checkSystem() error {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return errors.New("the benchmark reads the servers' processor time and memory from /proc, as Linux has it: run it there, or in a container")
	}
	return nil
}
