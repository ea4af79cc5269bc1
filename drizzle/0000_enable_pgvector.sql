-- Enables pgvector, which only a superuser may do (on managed services: the administrator).
-- Where the role of the plugin may not, a DBA runs "CREATE EXTENSION vector;" in the database once,
-- and this migration then finds it there.
DO $$
DECLARE
  installed text;
BEGIN
  SELECT extversion INTO installed FROM pg_extension WHERE extname = 'vector';
  IF installed IS NULL THEN
    BEGIN
      CREATE EXTENSION vector;
    EXCEPTION
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'pgvector is not enabled in database "%" and role "%" may not enable it', current_database(), current_user
          USING ERRCODE = 'insufficient_privilege',
                HINT = format('A superuser must run once, connected to database %I: CREATE EXTENSION vector;', current_database());
      WHEN undefined_file OR feature_not_supported THEN
        RAISE EXCEPTION 'pgvector is not installed on this PostgreSQL server'
          USING ERRCODE = 'undefined_file',
                HINT = 'Install the package of pgvector 0.8 or newer on the server (Debian: postgresql-NN-pgvector), then run: CREATE EXTENSION vector;';
    END;
    SELECT extversion INTO installed FROM pg_extension WHERE extname = 'vector';
  END IF;
  IF string_to_array(regexp_replace(installed, '[^0-9.].*$', ''), '.')::int[] < ARRAY[0, 8] THEN
    RAISE EXCEPTION 'pgvector % is too old: 0.8 or newer is needed', installed
      USING ERRCODE = 'feature_not_supported',
            HINT = format('Update the package on the server, then a superuser must run, connected to database %I: ALTER EXTENSION vector UPDATE;', current_database());
  END IF;
END
$$;
