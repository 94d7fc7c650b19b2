{{- define "annex.name" -}}
{{- /* A Service's name has no dots; that of a release may. */ -}}
{{- .Release.Name | replace "." "-" | trunc 52 | trimAll "-" -}}
{{- end -}}

{{- define "annex.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "annex.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "annex.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "annex.service" -}}
{{ .Release.Namespace }}/{{ include "annex.name" . }}:443
{{- end -}}

{{/* The APIServices of every version that was ever served: names are only added, so that a server which serves one no more can remove it. */}}
{{- define "annex.apiServices" -}}
[v1.tomlebreux.com, v1alpha1.tomlebreux.com]
{{- end -}}

{{- define "annex.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "annex.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Where the image comes from and where it may run: the servers, and what takes their registration back. */}}
{{- define "annex.placement" -}}
{{- range $field := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" }}
{{- with index $.Values $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "annex.check" -}}
{{- if and (eq .Values.storage "sqlite") (ne (int .Values.replicaCount) 1) -}}
{{- fail "storage=sqlite is for one replica: several would each have tokens of their own. Set replicaCount=1, or storage=secrets" -}}
{{- end -}}
{{- /* Behind its delay a server takes 8 seconds at most, and a little more. */ -}}
{{- $now := now -}}
{{- $delay := sub (unixEpoch (dateModify .Values.shutdownDelay $now)) (unixEpoch $now) -}}
{{- $needed := add $delay 10 -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "shutdownDelay=%s needs terminationGracePeriodSeconds=%d at least: a server that is killed before it has stopped loses requests" .Values.shutdownDelay $needed) -}}
{{- end -}}
{{- end -}}
