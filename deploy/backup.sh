#!/bin/sh
# Backs up and restores the PostgreSQL database. docker-compose.yml runs it as the service "backup". Elsewhere, it needs
# PGHOST, PGUSER, PGPASSWORD and PGDATABASE, and PostgreSQL's client programs of the same version.
#   backup run             creates a dump every BACKUP_HOURS (24), and keeps the newest BACKUP_KEEP (14)
#   backup once            creates a dump now
#   backup list            lists the dumps, newest first
#   backup check           fails if the newest dump is older than two intervals
#   backup restore FILE    replaces the database with a dump: a name from the list, a path, or - for standard input
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
    '' | *[!0-9]* | 0*) refuse "BACKUP_HOURS and BACKUP_KEEP must be whole numbers of at least 1, not \"$number\"." ;;
  esac
done

list() { find "$folder" -maxdepth 1 -name 'dayletter-*.dump' -exec basename {} \; | sort -r; }

# younger_than MINUTES: whether there is a dump younger than that.
younger_than() { find "$folder" -maxdepth 1 -name 'dayletter-*.dump' -mmin "-$1" | grep -q .; }

# A dump gets its final name only after it is complete and readable.
once() {
  name=dayletter-$(date -u +%Y-%m-%dT%H%M%SZ).dump
  part=$folder/unfinished.part
  if ! pg_dump --format=custom --file="$part" || ! pg_restore --list "$part" >/dev/null; then
    rm -f "$part"
    say "The dump failed. Older dumps were not changed."
    return 1
  fi
  mv "$part" "$folder/$name"
  say "Created $name ($(wc -c <"$folder/$name") bytes)."
  list | tail -n "+$((keep + 1))" | while read -r old; do
    rm -f "$folder/$old"
    say "Deleted $old."
  done
}

# Waiting for sleep in the background lets the shell stop immediately on a signal.
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
  file=${1:?specify a dump from \"backup list\", or - for standard input}
  if [ "$file" = - ]; then
    file=$folder/received.part
    trap 'rm -f "$folder/received.part"' EXIT
    cat >"$file"
  elif [ ! -e "$file" ]; then
    file=$folder/$file
  fi
  [ -r "$file" ] || refuse "There is no dump $1. To see all dumps, run \"backup list\"."
  pg_restore --list "$file" >/dev/null || refuse "$1 is not a readable dump. Nothing was changed."
  others=$(psql -XAtqc "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()" \
    --dbname="$database" 2>/dev/null || echo 0)
  [ "$others" = 0 ] || refuse "The database has $others connections. Stop web and worker first."
  fresh=${database}_restoring
  former=${database}_before_$(date -u +%Y%m%d%H%M%S)
  dropdb --if-exists "$fresh"
  createdb --template=template0 "$fresh"
  if ! pg_restore --exit-on-error --no-owner --no-privileges --dbname="$fresh" "$file"; then
    dropdb "$fresh"
    refuse "The dump could not be restored. The database was not changed."
  fi
  psql -Xqc 'analyze' --dbname="$fresh"
  # Both names change together or not at all.
  psql -Xq --set=ON_ERROR_STOP=1 --single-transaction --dbname=postgres <<SQL
alter database "$database" rename to "$former";
alter database "$fresh" rename to "$database";
SQL
  say "Restored. The previous database is now $former. When everything works, delete it: dropdb $former"
}

case ${1:-} in
  run) run ;;
  once) once ;;
  list) list ;;
  check) younger_than $((hours * 120)) ;;
  restore) restore "${2:-}" ;;
  *) refuse "Use one of: run, once, list, check, restore FILE." ;;
esac
