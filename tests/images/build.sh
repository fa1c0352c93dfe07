#!/usr/bin/env bash
# Builds stand-ins for apache/kafka:4.3.1, postgres:18 and python:3.13-slim, for machines that reach no image
# registry: the same programs, from their packages, behind the same environment variables, as far as docker-compose.yml and tests/containers.py use them.
#   tests/images/build.sh [docker|podman] [build options…]     the options are for the images that install Python packages
#   BASE_IMAGE   a Debian with apt (debian:12-slim)
set -euo pipefail
cd "$(dirname "$0")"
engine=${1:-docker}
shift || true
build() { "$engine" build "${@:3}" --tag "$1" --file "$2" .; }
build docker.io/library/python:3.13-slim python.Dockerfile --network=host --build-arg "BASE_IMAGE=${BASE_IMAGE:-debian:12-slim}"
build docker.io/apache/kafka:4.3.1 kafka.Dockerfile "$@"
build docker.io/library/postgres:18 postgres.Dockerfile "$@"
