#!/usr/bin/env bash
# Builds a small Debian that holds the servers of the tests: build-debian.sh FOLDER SUITE PACKAGES
#
# Messages for people go to standard output, the tools' own output to standard error. Two at once is
# fine, and so is a third after a killed one: FOLDER appears complete or not at all.
set -euo pipefail

folder=$1
suite=$2
packages=$3

# The slowest mirror seen needed 4 minutes, in seconds.
readonly limit=900

# The kernel holds this lock for the script and the tools that it runs, and lets go when they end,
# however they end.
exec 9>"$folder.lock"
if ! flock --nonblock 9; then
  echo 'Another process is building it: waiting'
  flock --timeout "$limit" 9 || { echo "No end after $limit s: see who holds $folder.lock" >&2; exit 1; }
fi
if [[ -d $folder ]]; then
  exit 0
fi

# With the lock held, a half-built folder belongs to nobody. A mount left in one is not followed.
rm -rf --one-file-system "$folder".building.*

if ! command -v debootstrap >/dev/null; then
  echo 'Installing the package debootstrap'
  apt-get update >&2
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends debootstrap >&2
fi

building=$(mktemp --directory "$folder.building.XXXXXX")
trap 'rm -rf --one-file-system "$building"' EXIT
chmod 755 "$building"

# debootstrap mounts /proc and /sys there. In a mount namespace of its own they end with it, so that
# a killed run leaves none. A container without the right to mount does without.
isolated=()
if unshare --mount true 2>/dev/null; then
  isolated=(unshare --mount)
fi
timeout --foreground "$limit" "${isolated[@]}" debootstrap --variant=minbase \
  --include="$packages" "$suite" "$building" >&2

# Shared memory, where the tests may not mount it.
chmod 1777 "$building/dev/shm"
rm -rf "$building"/var/cache/apt/archives/*.deb "$building"/var/lib/apt/lists/*
mv --no-target-directory "$building" "$folder"
