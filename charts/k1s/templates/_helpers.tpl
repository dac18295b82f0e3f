{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{/* The beginning of all names: short enough for every suffix used here. */}}
{{- define "k1s.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $name = ternary .Release.Name (printf "%s-k1s" .Release.Name) (contains "k1s" .Release.Name) -}}
{{- end -}}
{{- $name | trunc 45 | trimSuffix "-" -}}
{{- end }}

{{/* The Deployment and all that is its own. */}}
{{- define "k1s.manager" -}}
{{ include "k1s.fullname" . }}-manager
{{- end }}

{{/* What must never change on a Deployment that exists. */}}
{{- define "k1s.selectorLabels" -}}
app.kubernetes.io/name: k1s
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: manager
{{- end }}

{{- define "k1s.labels" -}}
app.kubernetes.io/name: k1s
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "k1s.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The operator, as a binding names it. */}}
{{- define "k1s.subject" -}}
- kind: ServiceAccount
  name: {{ include "k1s.manager" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The Service that the API server calls; and the Certificate for it, with cert-manager. */}}
{{- define "k1s.webhook" -}}
{{ include "k1s.fullname" . }}-webhook
{{- end }}

{{/* The Secret with that certificate. The operator's rights name it. */}}
{{- define "k1s.webhookSecret" -}}
k1s-webhook-cert
{{- end }}
