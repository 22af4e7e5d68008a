"""The cluster's own network: one node behind one cable, with fixed addresses that no test needs to look up."""

from __future__ import annotations

NAMESPACE = "golive"  # of the network, as `ip netns` names it
CABLE = "golive0"  # its end on the host
NODE = "node-1"
HOST_ADDRESS = "10.99.0.1"
NODE_ADDRESS = "10.99.0.2"
PREFIX = 24
PODS = "10.244.0.0/24"
SERVICES = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
PROMETHEUS_SERVICE = "10.96.0.90"
ALERTMANAGER_SERVICE = "10.96.0.93"
API_PORT = 6443
API_URL = f"https://{NODE_ADDRESS}:{API_PORT}"
