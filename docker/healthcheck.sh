#!/usr/bin/env bash
# 0 when /healthz says that the daemon makes progress. Without curl, which the image does not have.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/${1:-9464}"
printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[[ $status == 200 ]]
