{{/* One Role and its binding to the master. Takes (dict "context" $ "name" "…" "namespace" "…" "rules" (list …)). */}}
{{- define "golive.grant" -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "golive.metadata" . | nindent 2 }}
rules:
  {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "golive.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .name }}
subjects:
  {{- include "golive.masterSubject" .context | nindent 2 }}
{{- end -}}

{{- define "golive.masterSubject" -}}
- kind: ServiceAccount
  name: {{ include "golive.fullname" . }}-master
  namespace: {{ .Release.Namespace }}
{{- end -}}
