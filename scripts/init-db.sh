#!/usr/bin/env bash
# Makes a database ready for ask-ai: its roles, the database, the extension pgvector, the rights, and the
# tables by the migrations. What is there already stays; run it as often as you like.
#
#   PGHOST=db.example.com PGUSER=postgres PGPASSWORD=... \
#   ASK_AI_ADMIN_PASSWORD=... ASK_AI_WRITER_PASSWORD=... ASK_AI_READER_PASSWORD=... scripts/init-db.sh
#
# Whom it connects as must be superuser, or, on a managed service, its administrator (CREATEROLE,
# CREATEDB, and may enable pgvector). libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGSSLMODE,
# ...) say where and how; in a container of the image "postgres", POSTGRES_USER and POSTGRES_PASSWORD do.
#
#   ASK_AI_DATABASE         the database             default backstage_vectors
#   ASK_AI_SCHEMA           where the tables lie     default public
#   ASK_AI_ADMIN_USER       owns the tables          default ask_ai_admin
#   ASK_AI_WRITER_USER      indexes                  default ask_ai_writer
#   ASK_AI_READER_USER      answers questions        default ask_ai_reader
#   ASK_AI_*_PASSWORD       of each; a role that is there keeps the one it has where none is given, and
#                           then no tables are made
#   ASK_AI_*_PASSWORD_FILE  a file that holds it, instead
#   ASK_AI_SKIP_MIGRATIONS  1: makes no tables
#
# As a file in /docker-entrypoint-initdb.d it makes no tables where Node is missing: the backend with the
# admin credential, or "ask-ai migrate", makes them.

# In a subshell, so that nothing of it stays with whoever sources the file, as the image's entry point
# does with a file that is not executable.
init_db() (
  set -euo pipefail

  say() { printf 'init-db: %s\n' "$*" >&2; }
  fail() {
    say "$*"
    exit 1
  }

  # Sets ASK_AI_$1_PASSWORD from ASK_AI_$1_PASSWORD_FILE.
  read_password_file() {
    local name="ASK_AI_$1_PASSWORD" file_name="ASK_AI_$1_PASSWORD_FILE"
    [[ -n ${!file_name:-} ]] || return 0
    [[ -z ${!name:-} ]] || fail "$name and $file_name are both set: give one of them."
    [[ -r ${!file_name} ]] || fail "$file_name names ${!file_name}, which can't be read."
    printf -v "$name" '%s' "$(<"${!file_name}")"
  }

  # Backstage takes white space away around what a variable holds, so that such a password would be refused.
  check_password() {
    local name="ASK_AI_$1_PASSWORD"
    [[ ${!name:-} != change-me* ]] || fail "$name is still the one of the example: choose another."
    [[ ! ${!name:-} =~ ^[[:space:]]|[[:space:]]$ ]] || fail "$name begins or ends with white space: choose another."
  }

  # Reads statements from standard input. No name and no secret stands in the list of processes: psql
  # gets them from its environment.
  run_sql() {
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --file=-
  }

  # Makes the tables and grants the rights on them, as the admin.
  migrate() {
    local root command
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    if command -v node >/dev/null && [[ -x $root/node_modules/.bin/tsx ]]; then
      command=("$root/node_modules/.bin/tsx" "$root/plugins/ask-ai-backend/src/cli/main.ts")
    elif command -v ask-ai >/dev/null; then
      command=(ask-ai)
    else
      say 'NO TABLES WERE MADE: neither Node with the packages of this repository nor the command ask-ai is'
      say 'here. "ask-ai migrate" makes them, and so does a backend that has the admin credential.'
      return
    fi
    for role in ADMIN WRITER READER; do
      local password="ASK_AI_${role}_PASSWORD"
      if [[ -z ${!password} ]]; then
        say "NO TABLES WERE MADE: $password is not given. Run \"ask-ai migrate\" as $ASK_AI_ADMIN_USER."
        return
      fi
    done
    say 'migrations'
    # The command reads app-config.yaml of the working directory, which here names variables and holds no
    # secret. What it leaves out, such as PGSSLMODE, the database driver takes from libpq's variables.
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cat >"$folder/app-config.yaml" <<'YAML'
askAi:
  vectorStore:
    type: postgresql
    postgresql:
      host: ${ASK_AI_HOST}
      port: ${ASK_AI_PORT}
      database: ${ASK_AI_DATABASE}
      schema: ${ASK_AI_SCHEMA}
      user: ${ASK_AI_WRITER_USER}
      password: ${ASK_AI_WRITER_PASSWORD}
      admin:
        user: ${ASK_AI_ADMIN_USER}
        password: ${ASK_AI_ADMIN_PASSWORD}
      reader:
        user: ${ASK_AI_READER_USER}
        password: ${ASK_AI_READER_PASSWORD}
YAML
    cd "$folder"
    export ASK_AI_HOST=${PGHOST:-localhost} ASK_AI_PORT=${PGPORT:-5432}
    # Else they would stand in for what the file says.
    unset PGUSER PGPASSWORD PGOPTIONS ASK_AI_DATABASE_URL
    "${command[@]}" migrate
  }

  command -v psql >/dev/null || fail 'psql is missing: install the client programs of PostgreSQL.'
  export PGUSER=${PGUSER:-${POSTGRES_USER:-postgres}}
  if [[ -n ${POSTGRES_PASSWORD:-} ]]; then
    export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
  fi
  export PGDATABASE=${PGDATABASE:-postgres} PGAPPNAME=ask-ai-init-db PGOPTIONS='-c client_min_messages=warning'

  [[ ${POSTGRES_PASSWORD:-} != change-me* ]] ||
    fail 'POSTGRES_PASSWORD is still the one of the example: choose another.'
  for role in ADMIN WRITER READER; do
    read_password_file "$role"
    check_password "$role"
  done
  export ASK_AI_DATABASE=${ASK_AI_DATABASE:-backstage_vectors} ASK_AI_SCHEMA=${ASK_AI_SCHEMA:-public}
  export ASK_AI_ADMIN_USER=${ASK_AI_ADMIN_USER:-ask_ai_admin} ASK_AI_ADMIN_PASSWORD=${ASK_AI_ADMIN_PASSWORD:-}
  export ASK_AI_WRITER_USER=${ASK_AI_WRITER_USER:-ask_ai_writer} ASK_AI_WRITER_PASSWORD=${ASK_AI_WRITER_PASSWORD:-}
  export ASK_AI_READER_USER=${ASK_AI_READER_USER:-ask_ai_reader} ASK_AI_READER_PASSWORD=${ASK_AI_READER_PASSWORD:-}
  if [[ $ASK_AI_ADMIN_USER == "$ASK_AI_WRITER_USER" || $ASK_AI_ADMIN_USER == "$ASK_AI_READER_USER" ||
    $ASK_AI_WRITER_USER == "$ASK_AI_READER_USER" ]]; then
    fail 'ASK_AI_ADMIN_USER, ASK_AI_WRITER_USER and ASK_AI_READER_USER must be three different roles.'
  fi
  if [[ -n $ASK_AI_ADMIN_PASSWORD && ($ASK_AI_ADMIN_PASSWORD == "$ASK_AI_WRITER_PASSWORD" ||
    $ASK_AI_ADMIN_PASSWORD == "$ASK_AI_READER_PASSWORD") ]]; then
    fail 'ASK_AI_ADMIN_PASSWORD must differ from the other passwords: whoever learns one would have it.'
  fi

  say "roles $ASK_AI_ADMIN_USER, $ASK_AI_WRITER_USER, $ASK_AI_READER_USER and database $ASK_AI_DATABASE"
  run_sql <<'SQL'
-- Passwords stay out of the server's log. Only a superuser may say so.
SELECT set_config(name, CASE name WHEN 'log_statement' THEN 'none' ELSE '-1' END, false)
  FROM (VALUES ('log_statement'), ('log_min_duration_statement')) AS setting (name)
  WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \g /dev/null
-- One at a time.
SELECT pg_advisory_lock(hashtextextended('ask-ai init-db', 0)) \g /dev/null

\set database `printf %s "$ASK_AI_DATABASE"`
\set admin `printf %s "$ASK_AI_ADMIN_USER"`
\set admin_password `printf %s "$ASK_AI_ADMIN_PASSWORD"`
\set writer `printf %s "$ASK_AI_WRITER_USER"`
\set writer_password `printf %s "$ASK_AI_WRITER_PASSWORD"`
\set reader `printf %s "$ASK_AI_READER_USER"`
\set reader_password `printf %s "$ASK_AI_READER_PASSWORD"`

-- None of them inherits rights, or hands any on.
SELECT format('CREATE ROLE %I LOGIN', name)
  FROM (VALUES (1, :'admin'), (2, :'writer'), (3, :'reader')) AS role (position, name)
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
  ORDER BY position \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', name, password)
  FROM (VALUES
    (1, :'admin', :'admin_password'), (2, :'writer', :'writer_password'), (3, :'reader', :'reader_password')
  ) AS role (position, name, password)
  WHERE password <> ''
  ORDER BY position \gexec
-- From PostgreSQL 16, who makes a role may not take it on without saying so; before, not at all.
SELECT format('GRANT %I TO %I', :'admin', current_user)
  WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec

SELECT EXISTS (SELECT FROM pg_database WHERE datname = :'database') AS is_there \gset
\if :is_there
\else
  CREATE DATABASE :"database";
  -- Its own, so that nobody else has any business there.
  REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
\endif
GRANT CONNECT ON DATABASE :"database" TO :"admin", :"writer", :"reader";
SQL

  export PGDATABASE=$ASK_AI_DATABASE
  say "extension, schema $ASK_AI_SCHEMA and rights"
  run_sql <<'SQL' || fail "The database is not ready (see above). Where pgvector is missing: docs/SETUP.md says how to install or allow it."
SELECT pg_advisory_lock(hashtextextended('ask-ai init-db', 0)) \g /dev/null
\set schema `printf %s "$ASK_AI_SCHEMA"`
\set admin `printf %s "$ASK_AI_ADMIN_USER"`
\set writer `printf %s "$ASK_AI_WRITER_USER"`
\set reader `printf %s "$ASK_AI_READER_USER"`

CREATE EXTENSION IF NOT EXISTS vector;
SELECT format('CREATE SCHEMA %I', :'schema')
  WHERE to_regnamespace(quote_ident(:'schema')) IS NULL \gexec

GRANT USAGE, CREATE ON SCHEMA :"schema" TO :"admin";
GRANT USAGE ON SCHEMA :"schema" TO :"writer", :"reader";
-- Before PostgreSQL 15, everybody may make tables in "public". In a database that others use, too, that
-- is theirs to decide.
SELECT format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', :'schema')
  WHERE NOT has_database_privilege('public', current_database(), 'CONNECT') \gexec

-- Of a store that one role did everything in until now.
SELECT format('ALTER TABLE %I.%I OWNER TO %I', :'schema', relname, :'admin')
  FROM pg_class
  WHERE relnamespace = quote_ident(:'schema')::regnamespace AND relkind = 'r'
    AND relowner <> quote_ident(:'admin')::regrole
    AND relname IN (
      'ask_ai_migrations', 'asked_questions', 'embedding_space', 'embeddings', 'embeddings_load',
      'embeddings_load_changes', 'embeddings_load_shape', 'embeddings_next', 'index_failures', 'index_runs',
      'indexed_documents', 'indexed_documents_load', 'keyword_statistics', 'vector_index_calibration')
  ORDER BY relname \gexec
SELECT format('ALTER FUNCTION %I.embeddings_load_capture() OWNER TO %I', :'schema', :'admin')
  FROM pg_proc
  WHERE pronamespace = quote_ident(:'schema')::regnamespace AND proname = 'embeddings_load_capture'
    AND proowner <> quote_ident(:'admin')::regrole \gexec

SELECT format('init-db: PUBLIC may create tables in schema %s: revoke that unless others rely on it.', :'schema')
  WHERE has_schema_privilege('public', :'schema', 'CREATE')
SQL

  if [[ ${ASK_AI_SKIP_MIGRATIONS:-} == 1 ]]; then
    say 'ready; no migrations, as ASK_AI_SKIP_MIGRATIONS says'
    exit 0
  fi
  migrate
)

init_db "$@"
