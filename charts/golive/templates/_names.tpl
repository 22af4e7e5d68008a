{{/* The run's objects are named after the release: one release is one run. */}}
{{- define "golive.fullname" -}}
{{- .Release.Name -}}
{{- end -}}

{{/* Where workers find the master: the name of its pod under the headless Service. */}}
{{- define "golive.masterHost" -}}
{{- $name := include "golive.fullname" . -}}
{{- printf "%s-master.%s.%s.svc" $name $name .Release.Namespace -}}
{{- end -}}

{{- define "golive.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What a selector says: pods of this run, of one component. Takes (dict "context" $ "component" "master"). */}}
{{- define "golive.selectorLabels" -}}
app.kubernetes.io/name: golive
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* What every object and pod carries. Takes (dict "context" $), and "component" and "labels" where there are some. Ours win. */}}
{{- define "golive.labels" -}}
{{- $ours := dict
  "app.kubernetes.io/name" "golive"
  "app.kubernetes.io/instance" .context.Release.Name
  "app.kubernetes.io/managed-by" .context.Release.Service
  "app.kubernetes.io/version" .context.Chart.AppVersion
  "helm.sh/chart" (printf "%s-%s" .context.Chart.Name .context.Chart.Version)
  "golive/run" .context.Values.run.id
  "golive/target" .context.Values.run.target -}}
{{- if .component -}}
{{- $_ := set $ours "app.kubernetes.io/component" .component -}}
{{- end -}}
{{- toYaml (merge $ours (.labels | default dict) .context.Values.commonLabels) -}}
{{- end -}}

{{/* The head of an object. Takes (dict "context" $ "name" "…"), and "namespace", "component", "labels", "annotations" where they differ from the usual. */}}
{{- define "golive.metadata" -}}
name: {{ .name }}
namespace: {{ .namespace | default .context.Release.Namespace }}
labels:
  {{- include "golive.labels" . | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .context.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
