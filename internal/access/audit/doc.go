// SPDX-License-Identifier: Apache-2.0

// Package audit implements the record of the requests of plugins: Record has the fields of one request, Log writes
// Records, and Detector finds plugins whose requests are denied again and again, because they are misconfigured, or try
// what they are not allowed to do.
package audit
