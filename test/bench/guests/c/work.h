// SPDX-License-Identifier: Apache-2.0
//
// The work, whatever the border to the host is: see ../README.md.
#ifndef WORK_H
#define WORK_H

#include "json.h"

// get asks the host for the object that the request names. `found` is false for an error.
typedef text get(text request, bool *found);

// run does one reconcile and returns the reply, which is valid until the next call. An input that it
// cannot read sets `failed`, and the reply is then the error.
text run(text input, get *get, bool *failed);

#endif
