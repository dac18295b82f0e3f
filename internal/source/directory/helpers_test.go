// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// plugins is a plugin directory with the usual name.
type plugins struct {
	t   *testing.T
	dir string
}

func newPlugins(t *testing.T) plugins {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plugins")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return plugins{t: t, dir: dir}
}

func (p plugins) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p plugins) mkdir(name string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Join(p.dir, name), 0o700); err != nil {
		p.t.Fatal(err)
	}
}

func (p plugins) link(target, name string) {
	p.t.Helper()
	if err := os.Symlink(target, filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p plugins) source() *Source { return New(p.dir, 1<<20) }

func (p plugins) discover() Found {
	p.t.Helper()
	found, err := p.source().Discover()
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}

// names returns the names of the definitions, in order.
func names(found Found) string {
	var all []string
	for _, d := range found.Definitions {
		all = append(all, d.Name)
	}
	return strings.Join(all, " ")
}

// seedPlugins is the wasm-plugins.yaml of the specification.
const seedPlugins = `# wasm-plugins.yaml
plugins:
  - name: "item-validator"
    path: "./plugins/item-validator.wasm"
    language: "rust"
    config:
      for_types:
        - "inventory.example.com/v1alpha1.Item"
      capabilities:
        - "validation"
        - "defaulting"
      settings:
        validation_level: "strict"
        default_category: "uncategorized"
    
  - name: "category-hierarchy"
    path: "./plugins/category-hierarchy.wasm" 
    language: "tinygo"
    config:
      for_types:
        - "inventory.example.com/v1alpha1.Category"
      capabilities:
        - "reconcile"
        - "status_update"
      settings:
        max_depth: 10
        auto_create_parents: true

  - name: "external-inventory-sync"
    path: "./plugins/external-sync.wasm"
    language: "assemblyscript"
    config:
      for_types:
        - "inventory.example.com/v1alpha1.Item"
        - "inventory.example.com/v1alpha1.Category"
      capabilities:
        - "reconcile"
      settings:
        endpoint: "https://external-inventory.example.com/api"
        sync_interval: "5m"
        batch_size: 100
        
      # WASM-specific settings
      memory_pages: 16  # 1MB initial memory
      max_memory_pages: 64  # 4MB max memory
`

// seedPlugin is the item-validator-plugin.yaml of the specification.
const seedPlugin = `# plugins/item-validator-plugin.yaml
name: "item-validator"
type: "wasm"
path: "./item-validator.wasm"
version: "v1.0.0"

# Simple security config
security:
  allowedResources:
    - "items"
    - "events"
  allowedVerbs:
    - "get" 
    - "list"
    - "create" # For events only
  allowedNamespaces:
    - "default"
    - "inventory"
  maxConcurrentRequests: 10
`
