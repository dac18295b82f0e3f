// SPDX-License-Identifier: Apache-2.0

package hostname

import "testing"

func TestRegistry(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"registry.example": "registry.example", "REGISTRY.Example": "registry.example", "registry.example.": "registry.example",
		"ｒegistry.example": "registry.example", "registry。example": "registry.example", "bücher.example": "xn--bcher-kva.example", "XN--BCHER-KVA.example": "xn--bcher-kva.example",
		"registry.example:443": "registry.example:443", "registry.example:0443": "registry.example:443", "LOCALHOST.:5000": "localhost:5000",
		"docker.io": "docker.io", "Index.Docker.io": "docker.io", "registry-1.docker.io.": "docker.io", "registry.hub.docker.com": "docker.io", "registry-1.docker.io:443": "docker.io:443",
		"10.0.0.1": "10.0.0.1", "10.0.0.1:5000": "10.0.0.1:5000", "[::1]:5000": "[::1]:5000", "[0:0:0:0:0:0:0:1]": "[::1]", "[2001:DB8::A]": "[2001:db8::a]",
		"[::ffff:10.0.0.1]:5000": "10.0.0.1:5000", "under_score.example": "under_score.example",

		"": "", ":": "", ".": "", "registry.example:": "", "registry.example:0": "", "registry.example:65536": "", "registry.example:port": "", "registry.example:+1": "",
		"registry.example..": "", "registry..example": "", ".example": "", "registry example": "", "registry.example%2e": "", "*.example": "",
		"010.0.0.1": "", "10.1": "", "0x0a000001": "", "１０.0.0.1": "", "[10.0.0.1]": "", "[::1": "", "::1": "", "[::1%25eth0]": "", "[registry.example]": "", "[]": "",
	} {
		if got, err := Registry(given); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", given, got, err, want)
		}
		if again, err := Registry(want); want != "" && (again != want || err != nil) {
			t.Errorf("%q is not the only spelling: got %q, %v", want, again, err)
		}
	}
}
