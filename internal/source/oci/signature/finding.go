// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"errors"
	"fmt"
	"slices"

	pluginsv1alpha1 "github.com/k1s-io/k1s/api/plugins/v1alpha1"
	"github.com/k1s-io/k1s/internal/plugin"
	"github.com/k1s-io/k1s/internal/text"
)

// finding is why one signature does not count.
type finding = *plugin.LoadError

// progress lists the reasons of findings in the order of the checks: a signature with a later reason has passed more of
// them, so its reason helps most.
var progress = [...]string{
	pluginsv1alpha1.ReasonSignatureMalformed,
	pluginsv1alpha1.ReasonSignatureOfAnotherDigest,
	pluginsv1alpha1.ReasonSignedByAnotherKey,
	pluginsv1alpha1.ReasonSignatureInvalid,
	pluginsv1alpha1.ReasonNotInTransparencyLog,
	pluginsv1alpha1.ReasonCertificateUntrusted,
	pluginsv1alpha1.ReasonCertificateExpired,
	pluginsv1alpha1.ReasonSignedByAnotherIdentity,
}

// furthest returns the finding of the signature that passed more checks, the first one if both passed as many. Either
// may be nil.
func furthest(a, b finding) finding {
	if a == nil || b != nil && slices.Index(progress[:], b.Reason) > slices.Index(progress[:], a.Reason) {
		return b
	}
	return a
}

// found returns a finding about a signature. The message starts with where the signature is.
func found(reason, where string, cause error, format string, args ...any) finding {
	return &plugin.LoadError{Reason: reason, Message: where + " " + fmt.Sprintf(format, args...), Err: brief(cause)}
}

// maxCause is the maximum size of a library's error in a message. Such errors quote what they read.
const maxCause = 256

// brief makes the error of a library fit for a message.
func brief(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(text.Printable(text.Truncate(err.Error(), maxCause)))
}

// quoted quotes a text from a signature for a message.
func quoted(s string) string { return fmt.Sprintf("%q", text.Truncate(s, maxCause)) }
