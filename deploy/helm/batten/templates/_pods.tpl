{{- /* image is the image of all pods. */ -}}
{{- define "batten.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}

{{- /* nodes is where pods run that have to come to every node: before Batten is ready, too. */ -}}
{{- define "batten.nodes" -}}
{{- $all := false -}}
{{- range .Values.tolerations -}}
{{- if and (eq (default "Equal" .operator) "Exists") (not .key) (not .effect) }}{{ $all = true }}{{ end -}}
{{- end -}}
{{- $tolerations := .Values.tolerations -}}
{{- if not $all -}}
{{- $tolerations = append $tolerations (dict "key" "batten-runtime.github.io/agent-not-ready" "operator" "Exists") -}}
{{- end -}}
nodeSelector: {{ toJson .Values.nodeSelector }}
tolerations: {{ toJson $tolerations }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end -}}

{{- /* flags are those that the DaemonSet and the test have in common. */ -}}
{{- define "batten.flags" -}}
- --root=/host
{{- if eq .Values.mode "Default" }}
- --default
{{- end }}
{{- with .Values.containerd.socket }}
- --socket={{ . }}
{{- end }}
{{- with .Values.containerd.config }}
- --config={{ . }}
{{- end }}
{{- with .Values.containerd.binary }}
- --containerd-binary={{ . }}
{{- end }}
{{- with .Values.distribution }}
- --distribution={{ . }}
{{- end }}
{{- with .Values.bin }}
- --bin={{ . }}
{{- end }}
{{- end -}}
