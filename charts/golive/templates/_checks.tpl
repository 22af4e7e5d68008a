{{/* What the schema cannot see: refuse, with the remedy, what would install and then not run. */}}
{{- define "golive.checks" -}}
{{- if .Release.IsUpgrade -}}
{{- fail "a golive release is one run and is never upgraded: uninstall it, then install the next run under its own name" -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .Release.Name) -}}
{{- fail (printf "release name %q becomes the name of a Service and of hosts: use lower-case letters, digits and dashes, a letter first" .Release.Name) -}}
{{- end -}}
{{- $last := printf "%s-worker-%d" .Release.Name (sub (int64 .Values.workers.count) 1) -}}
{{- if gt (len $last) 63 -}}
{{- fail (printf "host name %q of the last worker has %d letters, 63 are possible: use a shorter release name" $last (len $last)) -}}
{{- end -}}
{{- if not (and .Values.run.plan .Values.run.orders) -}}
{{- fail "run.plan and run.orders are empty: `golive run PLAN --on cluster` writes them; by hand, give both as JSON texts" -}}
{{- end -}}
{{- $size := add (len .Values.run.plan) (len .Values.run.orders) -}}
{{- range .Values.run.files -}}
{{- $size = add $size (len .) -}}
{{- end -}}
{{- if gt (int64 $size) 1000000 -}}
{{- fail (printf "plan, orders and files have %d bytes, a ConfigMap holds 1000000: bring large files by extraVolumes" (int64 $size)) -}}
{{- end -}}
{{- if ne (empty .Values.rbac.lease.name) (empty .Values.rbac.lease.namespace) -}}
{{- fail "rbac.lease needs both its name and its namespace, or neither" -}}
{{- end -}}
{{- end -}}
