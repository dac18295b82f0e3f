// SPDX-License-Identifier: Apache-2.0

// Package cputime measures how long a process is busy, for tests about work that must be limited. Other than the time on
// the wall it does not depend on how busy the machine is: a process that gets no processor does not use any of its time.
package cputime
