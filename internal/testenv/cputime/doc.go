// SPDX-License-Identifier: Apache-2.0

// Package cputime implements the measurement of a process's processor time, for tests of limits on work. Unlike
// wall-clock time, it does not depend on the load of the machine: a process that gets no processor uses no processor
// time.
package cputime
