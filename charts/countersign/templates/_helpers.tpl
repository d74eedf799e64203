{{/* Names, labels and the parts that both services share. A part takes (dict "root" $ "service" "signer"|"webhook"). */}}

{{- define "countersign.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 48 characters, so that the longest suffix (-webhook-secrets, -webhook-tls) keeps a name within 63 or 64. */}}
{{- define "countersign.fullname" -}}
{{- $name := include "countersign.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- end }}

{{- define "countersign.componentName" -}}
{{- printf "%s-%s" (include "countersign.fullname" .root) .service }}
{{- end }}

{{- define "countersign.serviceAccountName" -}}
{{- default (include "countersign.componentName" .) (index .root.Values .service).serviceAccount.name }}
{{- end }}

{{- define "countersign.clusterResourceNamespace" -}}
{{- default .Release.Namespace .Values.clusterResourceNamespace }}
{{- end }}

{{- define "countersign.tlsSecretName" -}}
{{- default (printf "%s-webhook-tls" (include "countersign.fullname" .)) .Values.webhook.tls.secretName }}
{{- end }}

{{- define "countersign.selectorLabels" -}}
app.kubernetes.io/name: {{ include "countersign.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .service | quote }}
{{- end }}

{{/* `service` may be absent, for objects of neither service. The chart's own labels win over commonLabels. */}}
{{- define "countersign.labels" -}}
{{- $root := .root }}
{{- $labels := dict
  "app.kubernetes.io/name" (include "countersign.name" $root)
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/part-of" "countersign"
  "app.kubernetes.io/managed-by" $root.Release.Service
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- with .service }}
{{- $_ := set $labels "app.kubernetes.io/component" . }}
{{- end }}
{{- toYaml (merge $labels $root.Values.commonLabels) }}
{{- end }}

{{- define "countersign.image" -}}
{{- $image := (index .root.Values .service).image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (default .root.Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "countersign.podMetadata" -}}
{{- with (index .root.Values .service).podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
labels:
  {{- include "countersign.labels" . | nindent 2 }}
{{- end }}

{{/* A pod's spec up to its containers. 65532 is the user `nonroot` of the images. */}}
{{- define "countersign.podSpec" -}}
{{- $values := .root.Values -}}
serviceAccountName: {{ include "countersign.serviceAccountName" . }}
automountServiceAccountToken: true
# Variables of the Services (COUNTERSIGN_SIGNER_PORT and so on) would be taken for unknown options.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
affinity:
{{- if $values.affinity }}
  {{- toYaml $values.affinity | nindent 2 }}
{{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "countersign.selectorLabels" . | nindent 14 }}
{{- end }}
{{- end }}

{{/* A container's fields other than its name, args and ports. Both services answer /healthz and /readyz on the port `http`. */}}
{{- define "countersign.containerSpec" -}}
{{- $service := index .root.Values .service -}}
image: {{ include "countersign.image" . }}
imagePullPolicy: {{ $service.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
livenessProbe:
  httpGet:
    path: /healthz
    port: http
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet:
    path: /readyz
    port: http
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- with $service.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The flags that both services take. */}}
{{- define "countersign.commonArgs" -}}
- --http-address=0.0.0.0:9402
- --cluster-resource-namespace={{ include "countersign.clusterResourceNamespace" .root }}
- --log-level={{ .root.Values.logLevel }}
{{- end }}

{{/* The end of a binding of one service: `kind` is Role or ClusterRole, `role` its name. */}}
{{- define "countersign.bindingTo" -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .role }}
subjects:
  - kind: ServiceAccount
    name: {{ include "countersign.serviceAccountName" . }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{/* Secrets are read by name only. Neither service may list or watch them. */}}
{{- define "countersign.secretsRule" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}

{{/* One Role and RoleBinding in each of signer.secretNamespaces, for one service. */}}
{{- define "countersign.secretRoles" -}}
{{- $context := . }}
{{- $name := printf "%s-secrets" (include "countersign.componentName" .) }}
{{- range uniq .root.Values.signer.secretNamespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  namespace: {{ . }}
  labels:
    {{- include "countersign.labels" $context | nindent 4 }}
rules:
  {{- include "countersign.secretsRule" $context | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ . }}
  labels:
    {{- include "countersign.labels" $context | nindent 4 }}
{{ include "countersign.bindingTo" (merge (dict "kind" "Role" "role" $name) $context) }}
{{- end }}
{{- end }}
