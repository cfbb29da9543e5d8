#!/bin/sh
# Backs up the records in PostgreSQL and restores them. docker-compose.yml runs it as the service "backup"; elsewhere it
# needs PGHOST, PGUSER, PGPASSWORD and PGDATABASE, and the programs of PostgreSQL's own version.
#   backup run             a dump every BACKUP_HOURS (24), of which the newest BACKUP_KEEP (14) stay
#   backup once            one dump now
#   backup list            the dumps, newest first
#   backup check           fails when the newest dump is older than two intervals
#   backup restore FILE    puts a dump in place of the records: a name of the list, a path, or - for standard input
set -eu
umask 077
folder=${BACKUP_DIR:-/var/lib/postgresql/data}
hours=${BACKUP_HOURS:-24}
keep=${BACKUP_KEEP:-14}
database=${PGDATABASE:?set PGDATABASE to the name of the database}

say() { printf '%s backup: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }
refuse() {
  say "$*"
  exit 1
}
for number in "$hours" "$keep"; do
  case $number in
    '' | *[!0-9]* | 0*) refuse "BACKUP_HOURS and BACKUP_KEEP are whole numbers from 1 on, not \"$number\"." ;;
  esac
done

list() { find "$folder" -maxdepth 1 -name 'dayletter-*.dump' -exec basename {} \; | sort -r; }

# younger_than MINUTES: whether there is such a dump.
younger_than() { find "$folder" -maxdepth 1 -name 'dayletter-*.dump' -mmin "-$1" | grep -q .; }

# A dump gets its name only when it is complete and can be read again.
once() {
  name=dayletter-$(date -u +%Y-%m-%dT%H%M%SZ).dump
  part=$folder/unfinished.part
  if ! pg_dump --format=custom --file="$part" || ! pg_restore --list "$part" >/dev/null; then
    rm -f "$part"
    say "the dump failed; the older ones are untouched."
    return 1
  fi
  mv "$part" "$folder/$name"
  say "$name is written ($(wc -c <"$folder/$name") bytes)."
  list | tail -n "+$((keep + 1))" | while read -r old; do
    rm -f "$folder/$old"
    say "$old is removed."
  done
}

# The shell ends at once when it is told to, since it waits and does not sleep itself.
pause() {
  sleep "$1" &
  wait $!
}

run() {
  trap 'exit 0' TERM INT
  while :; do
    if younger_than $((hours * 60)); then pause 60; else once || pause 300; fi
  done
}

restore() {
  file=${1:?name a dump, as \"backup list\" shows it, or - for standard input}
  if [ "$file" = - ]; then
    file=$folder/received.part
    trap 'rm -f "$folder/received.part"' EXIT
    cat >"$file"
  elif [ ! -e "$file" ]; then
    file=$folder/$file
  fi
  [ -r "$file" ] || refuse "There is no dump ${1}: \"backup list\" shows them."
  pg_restore --list "$file" >/dev/null || refuse "$1 is no dump that can be read; nothing was changed."
  others=$(psql -XAtqc "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()" \
    --dbname="$database" 2>/dev/null || echo 0)
  [ "$others" = 0 ] || refuse "The database has $others connections: stop web and worker first."
  fresh=${database}_restoring
  former=${database}_before_$(date -u +%Y%m%d%H%M%S)
  dropdb --if-exists "$fresh"
  createdb --template=template0 "$fresh"
  if ! pg_restore --exit-on-error --no-owner --no-privileges --dbname="$fresh" "$file"; then
    dropdb "$fresh"
    refuse "The dump could not be restored; the records are as they were."
  fi
  psql -Xqc 'analyze' --dbname="$fresh"
  # Both names change together, or neither does.
  psql -Xq --set=ON_ERROR_STOP=1 --single-transaction --dbname=postgres <<SQL
alter database "$database" rename to "$former";
alter database "$fresh" rename to "$database";
SQL
  say "restored. The former records are kept in the database $former; when all is well: dropdb $former"
}

case ${1:-} in
  run) run ;;
  once) once ;;
  list) list ;;
  check) younger_than $((hours * 120)) ;;
  restore) restore "${2:-}" ;;
  *) refuse "say one of: run, once, list, check, restore FILE" ;;
esac
