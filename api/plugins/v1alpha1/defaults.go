// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// The API server sets the defaults of a field, but none inside an absent object, and none in WasmPlugins that are read
// from files. The functions here set the same ones; a test compares them with those of the CustomResourceDefinition.

// ServiceAccount returns the name of the ServiceAccount that the plugin acts as.
func (s *WasmPluginSpec) ServiceAccount() string {
	if s.ServiceAccountName == "" {
		return "default"
	}
	return s.ServiceAccountName
}

// WithDefaults returns a copy with the defaults of fields that are not set.
func (s Security) WithDefaults() Security {
	if s.MaxConcurrentRequests == 0 {
		s.MaxConcurrentRequests = 10
	}
	return s
}

// WithDefaults returns a copy with the defaults of fields that are not set.
func (r Runtime) WithDefaults() Runtime {
	for field, value := range map[*int32]int32{&r.MaxMemoryPages: 1024, &r.TimeoutSeconds: 5, &r.MaxInstances: 4} {
		if *field == 0 {
			*field = value
		}
	}
	if r.InstancePolicy == "" {
		r.InstancePolicy = InstancePolicyPooled
	}
	if r.IdleSeconds == nil {
		r.IdleSeconds = new(int32(60))
	}
	return r
}

// WithDefaults returns a copy with the defaults of fields that are not set.
func (a Admission) WithDefaults() Admission {
	if a.FailurePolicy == "" {
		a.FailurePolicy = FailurePolicyFail
	}
	if a.TimeoutSeconds == 0 {
		a.TimeoutSeconds = 5
	}
	return a
}
