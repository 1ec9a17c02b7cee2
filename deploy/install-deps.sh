#!/usr/bin/env bash
# Installs the Debian 12 packages that kantrig needs and that are missing. See --help.
set -euo pipefail
export LC_ALL=C  # one order for sort and comm

# package | group | reason
packages() {
  cat <<'LIST'
libzmq5                   | runtime | events and control over ZeroMQ
libprotobuf32             | runtime | messages and bundles
libprometheus-cpp-core1.0 | runtime | lays out /metrics
libspdlog1.10             | runtime | log
libfmt9                   | runtime | text
libsodium23               | runtime | SHA-256 and Ed25519 signatures of bundles
libtomlplusplus3          | runtime | configuration, menus, training specifications
libsystemd0               | runtime | readiness, status and watchdog
build-essential           | build   | g++ 12, binutils
cmake                     | build   | configures the build
ninja-build               | build   | runs it
ccache                    | build   | builds only what changed
git                       | build   | revision for --version
pkg-config                | build   | finds libzmq, libsodium, libsystemd
protobuf-compiler         | build   | protoc
libprotobuf-dev           | build   | messages and bundles
libzmq3-dev               | build   | events and control over ZeroMQ
cppzmq-dev                | build   | its C++ interface
libboost-dev              | build   | Asio for timers and signals, Beast for HTTP (headers only)
prometheus-cpp-dev        | build   | lays out /metrics
libcli11-dev              | build   | command lines
libtomlplusplus-dev       | build   | configuration, menus, training specifications
libspdlog-dev             | build   | log
libfmt-dev                | build   | text
libsodium-dev             | build   | SHA-256 and Ed25519 signatures of bundles
nlohmann-json3-dev        | build   | JSON that is not protobuf: imports, reports, the state file
libeigen3-dev             | build   | linear algebra of kanc (headers only)
libexpected-dev           | build   | tl::expected
libsystemd-dev            | build   | readiness, status and watchdog
libgtest-dev              | test    | unit tests
libgmock-dev              | test    | their matchers
libbenchmark-dev          | test    | benchmarks
clang                     | test    | fuzz targets
libclang-rt-14-dev        | test    | libFuzzer and the sanitizers of clang
python3                   | test    | the Python client and system tests
python3-zmq               | test    | the Python client
python3-protobuf          | test    | the Python client
python3-numpy             | test    | .npy files in tests
python3-onnx              | test    | ONNX's checker for what kanc exports; without it that test is skipped
prometheus                | test    | promtool, and a real server that scrapes the daemon
curl                      | test    | asks the daemon for /metrics
ca-certificates           | test    | for git and curl
procps                    | test    | ps, for memory and threads in system tests
verilator                 | hardware | simulates and lints SystemVerilog: kanc verify, the rtl_sim backend
yosys                     | hardware | open synthesis: kanc resources
nextpnr-ice40             | hardware | place and route for iCE40 boards: kanc bitstream
fpga-icestorm             | hardware | icepack and icetime, for the same
fpga-icestorm-chipdb      | hardware | the delays that icetime reads
tcl                       | hardware | reads the scripts for Vivado in tests, with its commands recorded
librsvg2-bin              | picture | rsvg-convert, which draws pictures as .png; .svg does without
libxrt1                   | card    | XRT, through which kantrig-card talks to a card
libxrt-dev                | card    | builds kantrig-card, and the emulated card of tests
uuid-dev                  | card    | XRT's headers include it
LIST
}

usage() {
  cat <<'HELP'
usage: deploy/install-deps.sh [--runtime] [--build] [--test] [--hardware] [--picture] [--card] [--list | --check]

Installs the Debian 12 packages that kantrig needs and that are missing, through apt-get, as root or with sudo.
Says what it installs. When nothing is missing it changes nothing, asks for no password and takes under a second.

  --runtime   what the programs need to run
  --build     what building them needs
  --test      what the tests and benchmarks need
  --hardware  what simulating and synthesising a compiled design needs (large)
  --picture   what draws pictures as .png files
  --card      what programs that use an accelerator card need, to build and to run; without it they are left out
              without any of these: all six

  --list      print the packages of the chosen groups with their reason, and stop
  --check     print what is missing and stop: 0 when nothing is, 1 otherwise
  --help      this text

No service is started or enabled: of the package prometheus only the programs are wanted, so its service is left
disabled when this script is what installs it.

exit: 0 done, 1 something is missing and could not be installed, 2 wrong usage
HELP
}

say() { printf 'install-deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# of_groups: "package | group | reason" of the chosen groups.
of_groups() {
  local package group reason
  while IFS='|' read -r package group reason; do
    package=${package// /} group=${group// /}
    if [[ " ${groups[*]} " == *" $group "* ]]; then printf '%s|%s|%s\n' "$package" "$group" "${reason# }"; fi
  done < <(packages)
}

# missing: the packages of the chosen groups that are not installed, one a line.
missing() {
  local wanted installed
  mapfile -t wanted < <(of_groups | cut -d'|' -f1)
  # The status is not 0 when dpkg does not know one of them, which is what we ask.
  installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
  comm -23 <(printf '%s\n' "${wanted[@]}" | sort) <(sed -n 's/^installed //p' <<<"$installed" | sort)
}

check_system() {
  local tool
  for tool in dpkg-query apt-get; do
    command -v "$tool" >/dev/null || die "this is not a Debian: no $tool. Install the packages of --list by other means."
  done
  local system
  # shellcheck source=/dev/null
  system=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-unknown}")
  [[ $system == "debian 12" ]] || say "made for Debian 12, this is $system: package names may differ"
}

# find_root: sets `as_root` to what goes before a command that needs root.
find_root() {
  if [[ $(id -u) -eq 0 ]]; then
    as_root=()
  elif command -v sudo >/dev/null; then
    as_root=(sudo)
  else
    die "missing: $*. Installing them needs root: run this script as root, or install sudo."
  fi
}

# While packages are installed, keep them from starting services: policy-rc.d is Debian's hook for that.
readonly policy=/usr/sbin/policy-rc.d
policy_is_ours=no
forbid_services() {
  [[ -e $policy ]] && return
  printf '#!/bin/sh\n# Left by deploy/install-deps.sh of kantrig; remove it.\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  policy_is_ours=yes
  "${as_root[@]}" chmod 0755 "$policy"
}
allow_services() {
  if [[ $policy_is_ours == yes ]]; then "${as_root[@]}" rm -f "$policy"; fi
  policy_is_ours=no
}

# The package enables its service even so, for the next boot.
disable_prometheus() {
  if [[ -d /run/systemd/system ]] || command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl disable --quiet prometheus.service 2>/dev/null || say "could not disable prometheus.service"
  elif command -v update-rc.d >/dev/null; then
    "${as_root[@]}" update-rc.d prometheus disable >/dev/null 2>&1 || say "could not disable the service prometheus"
  fi
}

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" >&2; }

install() {
  local lists
  lists=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null || true)
  [[ -n $lists ]] || apt update || die "apt-get update failed: see above"
  if ! apt install --no-install-recommends "$@"; then
    say "trying again with fresh package lists"
    apt update || die "apt-get update failed: see above"
    apt install --no-install-recommends "$@" || die "apt-get install failed: see above"
  fi
}

main() {
  local action=install
  groups=()
  for argument in "$@"; do
    case $argument in
      --runtime | --build | --test | --hardware | --picture | --card) groups+=("${argument#--}") ;;
      --list | --check) action=${argument#--} ;;
      --help | -h) usage; exit 0 ;;
      *) say "unknown option $argument"; usage >&2; exit 2 ;;
    esac
  done
  [[ ${#groups[@]} -gt 0 ]] || groups=(runtime build test hardware picture card)

  if [[ $action == list ]]; then of_groups | sed 's/|/\t/g'; exit 0; fi
  check_system
  local wanted
  mapfile -t wanted < <(missing)
  if [[ $action == check ]]; then
    [[ ${#wanted[@]} -eq 0 ]] && exit 0
    printf '%s\n' "${wanted[@]}"
    exit 1
  fi
  if [[ ${#wanted[@]} -eq 0 ]]; then say "nothing is missing"; exit 0; fi

  find_root "${wanted[@]}"
  say "installing ${wanted[*]}"
  trap allow_services EXIT
  forbid_services
  install "${wanted[@]}"
  if [[ " ${wanted[*]} " == *" prometheus "* ]]; then disable_prometheus; fi
  mapfile -t wanted < <(missing)
  [[ ${#wanted[@]} -eq 0 ]] || die "still missing: ${wanted[*]}"
  say "done"
}

main "$@"
