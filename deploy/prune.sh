#!/bin/sh
# Removes from installed packages what no server reads: sources and declarations of TypeScript, source maps, documents and
# tests. Licences stay, also where the README of a package holds its licence.
#   deploy/prune.sh FOLDER      the folder that holds node_modules and dist
set -eu
cd "${1:?name the folder that holds node_modules}"

# The compiler is an optional peer of cosmiconfig, which mjml brings along; npm prune keeps it.
rm -rf node_modules/typescript node_modules/@typescript node_modules/.bin/tsc node_modules/.cache

# Only at the root of a package: deeper down a folder called "doc" may be code, as in yaml.
find node_modules -depth -regextype posix-extended -type d \
  -regex '(.*/)?node_modules/(@[^/]+/)?[^/@][^/]*/(test|tests|__tests__|doc|docs|example|examples|benchmark|benchmarks|coverage|\.github)' \
  -exec rm -rf {} +

find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete
# Not all of *.map in dist: PostgreSQL, too, has files of that name.
find dist -type f -name '*.js.map' -delete

find node_modules -type f \( -iname '*.md' -o -iname '*.markdown' \) \
  ! -iname '*licen[cs]e*' ! -iname 'copying*' ! -iname 'notice*' ! -iname 'copyright*' |
  while IFS= read -r file; do
    case "$(basename "$file" | tr '[:upper:]' '[:lower:]')" in
      readme*) find "$(dirname "$file")" -maxdepth 1 \( -iname '*licen[cs]e*' -o -iname 'copying*' \) | grep -q . || continue ;;
    esac
    rm -f "$file"
  done

# Not in dist, where the embedded database needs its empty folders, too.
find node_modules -type d -empty -delete
