// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/root"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
)

// TrustedRoot has the CAs and the logs that keyless signatures are verified with. It is safe for concurrent use.
type TrustedRoot struct{ material root.TrustedMaterial }

// ParseTrustedRoot reads a trusted root in Sigstore's JSON format (trusted_root.json). The name says where it is from,
// for messages. Errors are *plugin.LoadError.
func ParseTrustedRoot(name string, text []byte) (*TrustedRoot, error) {
	var parsed *root.TrustedRoot
	err := guarded("read the trusted root", func() (err error) {
		if len(text) > maxTrustedRootBytes {
			return fmt.Errorf("it has %d bytes, more than %d", len(text), maxTrustedRootBytes)
		}
		if parsed, err = root.NewTrustedRootFromJSON(text); err != nil {
			return err
		}
		return checkComplete(parsed)
	})
	if err != nil {
		return nil, &plugin.LoadError{
			Reason:  pluginsv1alpha1.ReasonTrustedRootInvalid,
			Message: fmt.Sprintf("%s is not a Sigstore trusted root: store the file trusted_root.json there, which `cosign trusted-root create` writes", name),
			Err:     brief(err),
		}
	}
	return &TrustedRoot{material: parsed}, nil
}

// checkComplete rejects a root that no signature can be verified with, where the cause is still visible.
func checkComplete(parsed root.TrustedMaterial) error {
	switch {
	case len(parsed.FulcioCertificateAuthorities()) == 0:
		return errors.New("it has no certificateAuthorities")
	case len(parsed.RekorLogs()) == 0:
		return errors.New("it has no tlogs")
	case len(parsed.CTLogs()) == 0:
		return errors.New("it has no ctlogs")
	default:
		return nil
	}
}
