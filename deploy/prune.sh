#!/bin/sh
# Removes files from installed packages that servers don't need: TypeScript sources and declarations, source maps, documentation
# and tests. Licences stay, even those in a package's README.
#   deploy/prune.sh FOLDER      the folder that contains node_modules and dist
set -eu
cd "${1:?specify the folder that contains node_modules}"

# npm prune keeps the compiler, because it is an optional peer dependency of cosmiconfig, a dependency of mjml.
rm -rf node_modules/typescript node_modules/@typescript node_modules/.bin/tsc node_modules/.cache

# Only at the root of a package. Further down, a folder named "doc" can contain code, for example in yaml.
find node_modules -depth -regextype posix-extended -type d \
  -regex '(.*/)?node_modules/(@[^/]+/)?[^/@][^/]*/(test|tests|__tests__|doc|docs|example|examples|benchmark|benchmarks|coverage|\.github)' \
  -exec rm -rf {} +

find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete
# Only *.js.map in dist, because PostgreSQL also has files that end in .map.
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
