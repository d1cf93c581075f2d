#!/usr/bin/env bash
# Makes dist/ for a version: an archive and a Debian package for each architecture, and their sums.
# `make release VERSION=0.1.0` runs it. The bytes depend on the commit and the tools alone.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
umask 022

version=${1:-}
if ! [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
	echo "usage: make release VERSION=0.1.0" >&2
	exit 2
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) # also nfpm's time of everything
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf dist
mkdir dist

# Of the program alone the architectures have their own.
files() { echo "$work/opencalls-$version-linux-$1"; }
for target in amd64:x86_64-linux-gnu-gcc arm64:aarch64-linux-gnu-gcc; do
	arch=${target%:*}
	mkdir "$(files "$arch")"
	GOARCH=$arch CC=${target#*:} make -s static VERSION="$version"
	cp bin/static/opencalls "$(files "$arch")"
done

program=$(files "$(go env GOHOSTARCH)")/opencalls
for arch in amd64 arm64; do
	folder=$(files "$arch")
	mkdir "$folder/completions"
	cp deploy/debian/opencalls.{service,env} "$folder"
	# What git doesn't know, such as what an example installed, is left out.
	git ls-files -z -- {LICENSE,README,CHANGELOG,CONTRIBUTING}* openapi.yaml docs deploy/{grafana,prometheus}-* |
		xargs -0 cp --parents --target-directory="$folder"
	"$program" version --licenses >"$folder/LICENSES"
	"$program" man >"$folder/opencalls.1"
	"$program" completion bash >"$folder/completions/opencalls.bash"
	"$program" completion zsh >"$folder/completions/_opencalls"
	"$program" completion fish >"$folder/completions/opencalls.fish"
	chmod -R u=rwX,go=rX "$folder"
	find "$folder" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
	tar --create --sort=name --owner=0 --group=0 --numeric-owner \
		--directory="$work" "${folder##*/}" | gzip -9n >"dist/${folder##*/}.tar.gz"

	gzip -9n "$folder/opencalls.1"
	VERSION=$version ARCH=$arch FILES=$folder go tool -modfile=tools/go.mod nfpm package \
		--config deploy/debian/nfpm.yaml --packager deb --target dist/ >/dev/null
done
cd dist
sha256sum -- * >SHA256SUMS
cat SHA256SUMS
