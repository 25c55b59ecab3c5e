#!/usr/bin/env bash
# Installs Suricata 7 or newer on Debian, as root: from the release where it has it, else from its backports, which are
# asked for where apt gets the release itself.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
. /etc/os-release

apt-get update --quiet
candidate=$(apt-cache policy suricata | sed -n 's/^ *Candidate: //p')
release=()
if ! dpkg --compare-versions "${candidate/(none)/0}" ge 1:7; then
  backports=$VERSION_CODENAME-backports
  archive=$(apt-get indextargets --format '$(CODENAME) $(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
    sed -n "s/^$VERSION_CODENAME Debian //p" | head -n 1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $backports main" \
    >"/etc/apt/sources.list.d/$backports.list"
  apt-get update --quiet
  release=(--target-release "$backports")
fi
apt-get install --quiet --yes --no-install-recommends "${release[@]}" suricata
