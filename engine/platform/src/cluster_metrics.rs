//! `/kube-state-metrics`: what kube-state-metrics would say of the platform's Deployments, pods and autoscalers.

use crate::clock::Clock;
use crate::exposition::Exposition;
use crate::model::ScalingStatus;
use crate::snapshot::{ServiceView, Snapshot};

type Reading = fn(&ServiceView) -> f64;

/// Render the cluster's metrics.
#[must_use]
pub fn render(seen: &Snapshot, namespace: &str, clock: &Clock) -> String {
    let mut text = Exposition::default();
    autoscalers(&mut text, seen, namespace);
    conditions(&mut text, seen, namespace);
    deployments(&mut text, seen, namespace);
    pods(&mut text, seen, namespace, clock);
    text.into_text()
}

fn scaled(seen: &Snapshot) -> impl Iterator<Item = (&ServiceView, &ScalingStatus)> {
    seen.services.iter().filter_map(|service| service.scaling.as_ref().map(|status| (service, status)))
}

fn autoscalers(text: &mut Exposition, seen: &Snapshot, namespace: &str) {
    let families: [(&'static str, Reading); 4] = [
        ("kube_horizontalpodautoscaler_spec_min_replicas", |service| f64::from(service.min)),
        ("kube_horizontalpodautoscaler_spec_max_replicas", |service| f64::from(service.max)),
        ("kube_horizontalpodautoscaler_status_current_replicas", |service| service.pods.len() as f64),
        ("kube_horizontalpodautoscaler_status_desired_replicas", |service| {
            service.scaling.as_ref().map_or(0.0, |status| f64::from(status.desired))
        }),
    ];
    for (name, value) in families {
        text.family(name, "gauge", "As in the autoscaling API.");
        for (service, _) in scaled(seen) {
            text.sample(&[("namespace", namespace), ("horizontalpodautoscaler", &service.name)], value(service));
        }
    }
    let metric =
        |status: &ScalingStatus| [("metric_name", status.metric.clone()), ("metric_target_type", "average".to_owned())];
    text.family("kube_horizontalpodautoscaler_spec_target_metric", "gauge", "The target the autoscaler holds.");
    for (service, status) in scaled(seen) {
        let [name, kind] = metric(status);
        let labels = [
            ("namespace", namespace),
            ("horizontalpodautoscaler", &service.name),
            (name.0, &name.1),
            (kind.0, &kind.1),
        ];
        text.sample(&labels, status.target_metric);
    }
    text.family("kube_horizontalpodautoscaler_status_target_metric", "gauge", "The metric the autoscaler last saw.");
    for (service, status) in scaled(seen) {
        let [name, kind] = metric(status);
        let labels = [
            ("namespace", namespace),
            ("horizontalpodautoscaler", &service.name),
            (name.0, &name.1),
            (kind.0, &kind.1),
        ];
        if let Some(current) = status.current_metric {
            text.sample(&labels, current);
        }
    }
}

fn conditions(text: &mut Exposition, seen: &Snapshot, namespace: &str) {
    text.family("kube_horizontalpodautoscaler_status_condition", "gauge", "The autoscaler's conditions.");
    for (service, status) in scaled(seen) {
        for condition in &status.conditions {
            for value in ["true", "false", "unknown"] {
                let labels = [("condition", condition.kind.as_str()), ("status", value)];
                let holds = condition.status.eq_ignore_ascii_case(value);
                let whose = [("namespace", namespace), ("horizontalpodautoscaler", service.name.as_str())];
                text.sample(&[whose[0], whose[1], labels[0], labels[1]], u8::from(holds));
            }
        }
    }
    let help = "Why a condition is as it is: the API's reason, which kube-state-metrics leaves out.";
    text.family("golive_rehearsal_hpa_condition_reason", "gauge", help);
    for (service, status) in scaled(seen) {
        for condition in status.conditions.iter().filter(|condition| !condition.reason.is_empty()) {
            let labels = [("condition", condition.kind.as_str()), ("reason", condition.reason.as_str())];
            let whose = [("namespace", namespace), ("horizontalpodautoscaler", service.name.as_str())];
            text.sample(&[whose[0], whose[1], labels[0], labels[1]], 1);
        }
    }
}

fn deployments(text: &mut Exposition, seen: &Snapshot, namespace: &str) {
    let families: [(&'static str, Reading); 5] = [
        ("kube_deployment_spec_replicas", |service| f64::from(service.desired)),
        ("kube_deployment_status_replicas", |service| service.pods.len() as f64),
        ("kube_deployment_status_replicas_ready", |service| service.ready as f64),
        ("kube_deployment_status_replicas_available", |service| service.ready as f64),
        ("kube_deployment_status_replicas_unavailable", |service| service.starting as f64),
    ];
    for (name, value) in families {
        text.family(name, "gauge", "As in the Deployment's spec and status.");
        for service in &seen.services {
            text.sample(&[("namespace", namespace), ("deployment", &service.name)], value(service));
        }
    }
}

fn pods(text: &mut Exposition, seen: &Snapshot, namespace: &str, clock: &Clock) {
    let all = || {
        seen.services
            .iter()
            .flat_map(|service| service.pods.iter().map(|pod| (pod_name(&service.name, pod.number), pod)))
    };
    text.family("kube_pod_status_ready", "gauge", "Does the pod take requests?");
    for (name, pod) in all() {
        for (condition, holds) in
            [("true", pod.ready_us.is_some()), ("false", pod.ready_us.is_none()), ("unknown", false)]
        {
            text.sample(&[("namespace", namespace), ("pod", &name), ("condition", condition)], u8::from(holds));
        }
    }
    text.family("kube_pod_created", "gauge", "When the pod was created (unix time).");
    for (name, pod) in all() {
        text.sample(&[("namespace", namespace), ("pod", &name)], clock.unix_s(pod.created_us));
    }
    text.family("kube_pod_status_ready_time", "gauge", "When the pod became ready (unix time).");
    for (name, pod) in all() {
        if let Some(ready_us) = pod.ready_us {
            text.sample(&[("namespace", namespace), ("pod", &name)], clock.unix_s(ready_us));
        }
    }
}

/// `core-7d9f4c5b86-0000a`: the `ReplicaSet`'s part is fixed, the pod's counts up.
fn pod_name(service: &str, number: u32) -> String {
    format!("{service}-7d9f4c5b86-{number:05x}")
}
