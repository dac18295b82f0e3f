// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"errors"
	"fmt"
	"sync"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authenticationv1client "k8s.io/client-go/kubernetes/typed/authentication/v1"
	"k8s.io/client-go/rest"
)

// Operator determines the operator's user name at the API server. The name does not change while the operator runs, so
// it is requested once.
type Operator struct {
	config *rest.Config

	mu   sync.Mutex
	name string
}

// NewOperator returns an Operator that uses the operator's own connection.
func NewOperator(config *rest.Config) *Operator { return &Operator{config: config} }

// Username returns the operator's user name.
func (o *Operator) Username(ctx context.Context) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.name != "" {
		return o.name, nil
	}
	reviews, err := authenticationv1client.NewForConfig(o.config)
	if err != nil {
		return "", fmt.Errorf("make a client: %w", err)
	}
	self, err := reviews.SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("ask the API server who the operator is: %w", err)
	}
	if self.Status.UserInfo.Username == "" {
		return "", errors.New("the API server does not say who the operator is")
	}
	o.name = self.Status.UserInfo.Username
	return o.name, nil
}
