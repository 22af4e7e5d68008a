{{/* What both roles' pods have alike. Each takes (dict "context" $ "component" "master" "role" .Values.master). */}}

{{/* Labels and annotations of a pod. Cluster autoscaler and Karpenter leave nodes alone while the pod runs. */}}
{{- define "golive.podMetadata" -}}
labels:
  {{- include "golive.labels" (dict "context" .context "component" .component "labels" .role.podLabels) | nindent 2 }}
annotations:
  {{- $ours := dict "cluster-autoscaler.kubernetes.io/safe-to-evict" "false" "karpenter.sh/do-not-disrupt" "true" }}
  {{- toYaml (merge (dict) .role.podAnnotations $ours) | nindent 2 }}
{{- end -}}

{{/* Where a pod may run. */}}
{{- define "golive.placement" -}}
{{- with .context.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .role.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "golive.affinity" . }}
affinity:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The role's affinity, and the rule that keeps it off the target's nodes. */}}
{{- define "golive.affinity" -}}
{{- $affinity := deepCopy .role.affinity -}}
{{- $anti := .context.Values.antiAffinity -}}
{{- if $anti.namespaces -}}
{{- $term := dict "namespaces" $anti.namespaces "labelSelector" $anti.labelSelector "topologyKey" $anti.topologyKey -}}
{{- $rules := $affinity.podAntiAffinity | default dict -}}
{{- $kind := printf "%sDuringSchedulingIgnoredDuringExecution" $anti.mode -}}
{{- $entry := ternary $term (dict "weight" 100 "podAffinityTerm" $term) (eq $anti.mode "required") -}}
{{- $_ := set $rules $kind (append (get $rules $kind | default list) $entry) -}}
{{- $_ := set $affinity "podAntiAffinity" $rules -}}
{{- end -}}
{{- with $affinity -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/* The role's topology spread; where an entry does not say of which pods, of this role's. */}}
{{- define "golive.spread" -}}
{{- $ours := dict "matchLabels" (include "golive.selectorLabels" . | fromYaml) -}}
{{- range .role.topologySpreadConstraints }}
- {{ toYaml (ternary . (set (deepCopy .) "labelSelector" $ours) (hasKey . "labelSelector")) | indent 2 | trim }}
{{- end }}
{{- end -}}

{{/* Requests equal limits: the Guaranteed class, so that nobody takes a busy generator's CPU or memory. */}}
{{- define "golive.resources" -}}
{{- range $kind := list "limits" "requests" }}
{{ $kind }}:
  {{- range $name, $quantity := $.role.resources }}
  {{ $name }}: {{ $quantity | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Environment of both roles. */}}
{{- define "golive.servesMetrics" -}}
{{- if or .Values.metrics.enabled .Values.podMonitor.enabled }}yes{{ end -}}
{{- end -}}

{{- define "golive.env" -}}
- name: HOME
  value: /tmp
- name: GOLIVE_RUN_ID
  value: {{ .context.Values.run.id | quote }}
{{- range $name, $path := dict "POD_NAME" "metadata.name" "POD_UID" "metadata.uid" "POD_NAMESPACE" "metadata.namespace" "NODE_NAME" "spec.nodeName" }}
- name: GOLIVE_{{ $name }}
  valueFrom:
    fieldRef:
      fieldPath: {{ $path }}
{{- end }}
{{- with .context.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "golive.volumeMounts" -}}
- name: plan
  mountPath: /etc/golive
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- with .context.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "golive.volumes" -}}
- name: plan
  configMap:
    name: {{ include "golive.fullname" .context }}-plan
- name: tmp
  emptyDir:
    sizeLimit: {{ .role.tmpSizeLimit }}
{{- with .context.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What stands in every pod alike, the tests' pods included. */}}
{{- define "golive.podBasics" -}}
enableServiceLinks: false
{{- with .context.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .context.Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .context.Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "golive.containerBasics" -}}
image: {{ include "golive.image" .context }}
imagePullPolicy: {{ .context.Values.image.pullPolicy }}
terminationMessagePolicy: FallbackToLogsOnError
{{- with .context.Values.containerSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
