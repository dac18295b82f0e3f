// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// manager runs bin/manager and restarts it. Each run of the process is a life.
type manager struct {
	dir, kubeconfig string

	mu      sync.Mutex
	life    int
	born    time.Time
	cmd     *exec.Cmd
	ended   chan error
	metrics string
}

func newManager(dir, kubeconfig string) *manager { return &manager{dir: dir, kubeconfig: kubeconfig} }

// ownGroup keeps Ctrl-C in a terminal from reaching a child process, and kills the child when this process ends.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// launch starts the next life.
func (m *manager) launch() error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life++
	log, err := os.Create(m.logFile(m.life))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own copy
	m.cmd = exec.Command(filepath.Join("bin", "manager"),
		"--kubeconfig="+m.kubeconfig, "--namespace="+operatorNamespace, "--plugin-dir="+filepath.Join(m.dir, "plugins"),
		"--cache-dir="+filepath.Join(m.dir, "cache"), "--health-probe-bind-address=0", "--webhook-bind-address=0",
		"--metrics-bind-address="+address, "--metrics-secure=false")
	m.cmd.Stdout, m.cmd.Stderr = log, log
	m.cmd.SysProcAttr = ownGroup()
	if err := m.cmd.Start(); err != nil {
		return err
	}
	m.born, m.metrics, m.ended = time.Now(), "http://"+address+"/metrics", make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan<- error) { ended <- cmd.Wait() }(m.cmd, m.ended)
	return nil
}

// freeAddress returns an address on which no process listens at the moment.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (m *manager) logFile(life int) string {
	return filepath.Join(m.dir, fmt.Sprintf("manager-%d.log", life))
}

// kill kills the operator with SIGKILL, as in a crash. It returns an error if the operator has ended by itself.
func (m *manager) kill() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd == nil {
		return nil
	}
	select {
	case err := <-m.ended:
		m.cmd = nil
		return fmt.Errorf("the operator had ended by itself, in life %d: %w", m.life, errors.Join(err, errors.New("see its log")))
	default:
	}
	if err := m.cmd.Process.Kill(); err != nil {
		return err
	}
	if err := <-m.ended; err == nil {
		return errors.New("the operator ended in order just when it was to be killed")
	}
	m.cmd = nil
	return nil
}

// reading is the resource usage of the current life.
type reading struct {
	life       int
	age        time.Duration
	resident   uint64
	goroutines int
}

// read reads the operator's metrics. ok is false while the operator does not respond.
func (m *manager) read() (r reading, ok bool) {
	m.mu.Lock()
	url := m.metrics
	r.life, r.age = m.life, time.Since(m.born)
	m.mu.Unlock()
	answer, err := (&http.Client{Timeout: 2 * time.Second}).Get(url)
	if err != nil {
		return r, false
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		number, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == "process_resident_memory_bytes":
			r.resident = uint64(number)
		case name == "go_goroutines":
			r.goroutines = int(number)
		}
	}
	return r, lines.Err() == nil && r.resident > 0
}

// complaints returns the lines of the logs that no disturbance explains.
func (m *manager) complaints() []string {
	var found []string
	for life := 1; life <= m.life; life++ {
		text, err := os.ReadFile(m.logFile(life))
		if err != nil {
			found = append(found, err.Error())
		}
		for line := range strings.Lines(string(text)) {
			for _, bad := range []string{"panic", "fatal error", "runtime error", "DATA RACE", "SIGSEGV"} {
				if strings.Contains(line, bad) {
					found = append(found, fmt.Sprintf("life %d: %.300s", life, strings.TrimSpace(line)))
					break
				}
			}
		}
	}
	return found
}
