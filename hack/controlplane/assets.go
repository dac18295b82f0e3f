// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tempInfix is part of the name of a file that a build has not finished writing.
const tempInfix = ".building-"

// checkEnvAssets verifies the directory in KUBEBUILDER_ASSETS. The error names the problem of each file and both ways
// to fix it.
func checkEnvAssets(dir string) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("KUBEBUILDER_ASSETS is %q: it must be an absolute path, because each test runs in its own folder", dir)
	}
	var problems []string
	for _, b := range binaries() {
		if err := checkExecutable(filepath.Join(dir, b.name)); err != nil {
			problems = append(problems, fmt.Sprintf("%s %v", b.name, err))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("KUBEBUILDER_ASSETS is %q: %s; put all three binaries there, or unset KUBEBUILDER_ASSETS to have them built",
		dir, strings.Join(problems, ", "))
}

// missing returns the binaries that do not exist in dir yet.
func missing(dir string) []binary {
	var absent []binary
	for _, b := range binaries() {
		if checkExecutable(filepath.Join(dir, b.name)) != nil {
			absent = append(absent, b)
		}
	}
	return absent
}

func checkExecutable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return errors.New("is missing")
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("is not a file")
	case info.Mode().Perm()&0o111 == 0:
		return errors.New("is not executable")
	}
	return nil
}

// removeStale deletes the temporary files of a killed build. The caller holds the lock, so no running build owns any of
// them.
func removeStale(dir string) error {
	stale, err := filepath.Glob(filepath.Join(dir, "*"+tempInfix+"*"))
	if err != nil {
		return err
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove an unfinished build: %w", err)
		}
	}
	return nil
}
