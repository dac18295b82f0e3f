// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
)

// firstPort and ports define a range below the ephemeral ports of Linux, macOS and Windows (from 32768 or 49152 on).
// Outgoing connections, and listeners that do not ask for a port, cannot take a port of the range between FreeAddress
// and its use.
const firstPort, ports = 20_000, 10_000

// tried counts the ports that this process has tried. Processes start at different ports.
var tried atomic.Int64

// FreeAddress returns an address of the loopback interface on which nothing listens. No other caller, in this process
// or in another one, gets the same address before the test ends.
func FreeAddress(t *testing.T) string {
	t.Helper()
	for range ports {
		port := firstPort + (int64(os.Getpid())*61+tried.Add(1))%ports
		address := net.JoinHostPort("127.0.0.1", strconv.FormatInt(port, 10))
		// TCP and UDP ports are independent, so the UDP port of the same number is used as a lock.
		lock, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			_ = lock.Close()
			continue
		}
		_ = listener.Close()
		t.Cleanup(func() { _ = lock.Close() })
		return address
	}
	t.Fatal("there is no free port")
	return ""
}

// FreePort returns the port of a FreeAddress.
func FreePort(t *testing.T) int {
	t.Helper()
	_, text, err := net.SplitHostPort(FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
