//go:build tools

// Package cluster names the programs that are built as they are, so that go.mod keeps them.
package cluster

import (
	_ "helm.sh/helm/v3/cmd/helm"
	_ "k8s.io/kube-state-metrics/v2"
	_ "sigs.k8s.io/metrics-server/cmd/metrics-server"
)
