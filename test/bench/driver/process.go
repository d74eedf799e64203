// The signer process: start, resource usage as reported by the kernel, stop.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

type process struct {
	command *exec.Cmd
	started time.Time
	ended   chan struct{}
}

func start(command, log string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.Command("/bin/sh", "-c", "exec "+command), ended: make(chan struct{})}
	// The signer never outlives the benchmark.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.command.Stdout, p.command.Stderr = out, out
	p.started = time.Now()
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

type usage struct {
	CPUMilliseconds float64 `json:"cpuMs"`
	ResidentMB      float64 `json:"residentMB"`
	PeakMB          float64 `json:"peakMB"`
}

var memory = regexp.MustCompile(`(VmRSS|VmHWM):\s+(\d+) kB`)

// stop stops the process and returns its resource usage.
func (p *process) stop() (usage, error) {
	var u usage
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return u, fmt.Errorf("the signer exited early: %w", err)
	}
	for _, found := range memory.FindAllSubmatch(status, -1) {
		kilobytes, _ := strconv.ParseFloat(string(found[2]), 64)
		if string(found[1]) == "VmRSS" {
			u.ResidentMB = kilobytes / 1024
		} else {
			u.PeakMB = kilobytes / 1024
		}
	}
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.command.Process.Kill()
		<-p.ended
	}
	state := p.command.ProcessState
	u.CPUMilliseconds = float64((state.UserTime() + state.SystemTime()).Microseconds()) / 1000
	return u, nil
}
