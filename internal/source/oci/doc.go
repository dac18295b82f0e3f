// SPDX-License-Identifier: Apache-2.0

// Package oci implements the source of modules in OCI registries.
//
// A pull is a background task, because a registry can be slow: Source starts it, and Source.Fetch returns what is known.
// The following parts do the work, from the outside inward:
//
//   - Source has a task for each plugin, which retries with growing delays and polls tags;
//   - a puller resolves a reference, finds the module (package artifact) and proves the permission of the namespace;
//   - a session reads through the cache (package blobs) from a repository, and records what the namespace may read;
//   - a repository makes the requests, through mirrors if the operator has some.
package oci
