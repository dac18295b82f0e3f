// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/k1s-io/k1s/internal/testenv/testfile"
)

// workflow is the part of a GitHub workflow, or of a composite action, that the tests check.
type workflow struct {
	Permissions map[string]string `json:"permissions"`
	Concurrency map[string]any    `json:"concurrency"`
	Jobs        map[string]struct {
		Uses           string `json:"uses"`
		TimeoutMinutes int    `json:"timeout-minutes"`
		Strategy       struct {
			Matrix map[string][]string `json:"matrix"`
		} `json:"strategy"`
		Steps []step `json:"steps"`
	} `json:"jobs"`
	Runs struct {
		Steps []step `json:"steps"`
	} `json:"runs"` // of a composite action
}

type step struct {
	Uses string `json:"uses"`
	Run  string `json:"run"`
}

// steps returns the steps of all jobs.
func (w workflow) steps() []step {
	all := slices.Clone(w.Runs.Steps)
	for _, job := range w.Jobs {
		all = append(all, step{Uses: job.Uses})
		all = append(all, job.Steps...)
	}
	return all
}

// workflows returns the workflows and composite actions of the repository by their paths.
func workflows(t *testing.T, root string) map[string]workflow {
	t.Helper()
	found := map[string]workflow{}
	for _, p := range repositoryPaths(t, root) {
		if ok, _ := path.Match(".github/workflows/*.yaml", p); ok || path.Base(p) == "action.yaml" {
			var w workflow
			readYAML(t, filepath.Join(root, p), &w)
			found[p] = w
		}
	}
	if len(found) == 0 {
		t.Error("no workflows: the test checks nothing; have they moved?")
	}
	return found
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// action matches an action of this repository, or one of another repository in a major version.
var action = regexp.MustCompile(`^(\./\.github/\S+|[\w-]+/[\w/-]+@v\d+)$`)

// TestWorkflows checks that workflows declare their permissions, do not run in parallel with themselves, end, and use
// actions in a fixed major version.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	for p, w := range workflows(t, repository(t)) {
		if len(w.Jobs) > 0 && (w.Permissions == nil || w.Concurrency == nil) {
			t.Errorf("%s: set permissions and concurrency", p)
		}
		for name, job := range w.Jobs {
			if job.Uses == "" && job.TimeoutMinutes == 0 {
				t.Errorf("%s: set timeout-minutes of the job %q", p, name)
			}
		}
		for _, s := range w.steps() {
			if s.Uses != "" && !action.MatchString(s.Uses) {
				t.Errorf("%s uses %q: name a major version, as in actions/checkout@v1", p, s.Uses)
			}
		}
	}
}

// TestWorkflows_sameTargets checks that the jobs of the CI workflow are the steps of .ci/run.
func TestWorkflows_sameTargets(t *testing.T) {
	t.Parallel()
	root := repository(t)
	got := workflows(t, root)[".github/workflows/ci.yaml"].Jobs["make"].Strategy.Matrix["target"]
	if want := stepsOfCI(t, root); !slices.Equal(got, want) {
		t.Errorf("ci.yaml runs the targets %q, and .ci/run runs %q", got, want)
	}
}

// stepsOfCI returns the targets that .ci/run runs without arguments.
func stepsOfCI(t *testing.T, root string) []string {
	t.Helper()
	var targets []string
	for _, match := range regexp.MustCompile(`(?m)^  step make ([a-z]+)$`).FindAllSubmatch(testfile.Read(t, root, ".ci/run"), -1) {
		targets = append(targets, string(match[1]))
	}
	if len(targets) == 0 {
		t.Fatal(".ci/run has no lines: step make TARGET")
	}
	return targets
}

// TestDependabot_modules checks that Dependabot updates every Go module and every action.
func TestDependabot_modules(t *testing.T) {
	t.Parallel()
	root := repository(t)
	var config struct {
		Updates []struct {
			Ecosystem   string   `json:"package-ecosystem"`
			Directory   string   `json:"directory"`
			Directories []string `json:"directories"`
		} `json:"updates"`
	}
	readYAML(t, filepath.Join(root, ".github/dependabot.yml"), &config)
	got := map[string][]string{}
	for _, u := range config.Updates {
		for _, directory := range append(u.Directories, u.Directory) {
			if directory != "" {
				got[u.Ecosystem] = append(got[u.Ecosystem], directory)
			}
		}
	}
	want := map[string][]string{"github-actions": {"/"}} // the workflows
	for _, p := range repositoryPaths(t, root) {
		switch path.Base(p) {
		case "go.mod":
			want["gomod"] = append(want["gomod"], path.Join("/", path.Dir(p)))
		case "action.yaml":
			want["github-actions"] = append(want["github-actions"], path.Join("/", path.Dir(p)))
		}
	}
	for ecosystem, directories := range want {
		slices.Sort(directories)
		slices.Sort(got[ecosystem])
		if !slices.Equal(got[ecosystem], directories) {
			t.Errorf("%s: dependabot.yml has %q, the repository %q", ecosystem, got[ecosystem], directories)
		}
	}
}

// TestCodeowners_pathsExist checks that the paths in CODEOWNERS exist.
func TestCodeowners_pathsExist(t *testing.T) {
	t.Parallel()
	root := repository(t)
	known := repositoryPaths(t, root)
	text := testfile.Read(t, root, ".github/CODEOWNERS")
	for line := range strings.Lines(string(text)) {
		pattern, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if p := strings.Trim(pattern, "/"); pattern != "" && pattern != "#" && !exists(known, p) {
			t.Errorf("CODEOWNERS names %s, which does not exist", pattern)
		}
	}
}
