// SPDX-License-Identifier: Apache-2.0

package directory

import "testing"

// FuzzParse parses arbitrary data in both formats. It must neither panic nor accept a plugin without a name or a
// module.
func FuzzParse(f *testing.F) {
	f.Add([]byte(seedPlugins))
	f.Add([]byte(seedPlugin))
	f.Add([]byte("plugins: [{name: a, path: a.wasm}, {name: a, path: a.wasm, x: 1}]"))
	f.Add([]byte("plugins: &p\n- *p\n"))
	f.Add([]byte("? {a: b}\n: - x\n<<: {name: a}\n"))
	f.Add([]byte("name: !!binary AAAA\npath: 2001-01-01\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, parse := range []func(string, []byte) (parsed, error){parsePluginsFile, parsePluginFile} {
			p, err := parse("file.yaml", content)
			if err != nil && len(p.definitions)+len(p.problems) > 0 {
				t.Errorf("both %+v and %v", p, err)
			}
			for _, d := range p.definitions {
				if len(nameProblems(d.Name)) > 0 || d.Spec.Source.File == nil || d.Spec.Source.File.Path == "" || len(d.Places) != 1 || d.Places[0].Line < 1 {
					t.Errorf("taken: %+v", d)
				}
			}
			for _, p := range p.problems {
				if p.Message == "" || p.File != "file.yaml" || p.Reason == "" {
					t.Errorf("told: %+v", p)
				}
			}
		}
		nameIn("a-plugin.yaml", content)
	})
}
