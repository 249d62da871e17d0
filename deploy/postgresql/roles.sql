-- Least rights on PostgreSQL. Run by the owner of the tables (who runs `backship init`), in that
-- database, after every `backship init`; again it changes nothing:
--
--   psql "$OWNER_URL" --file deploy/postgresql/roles.sql
--   CREATE ROLE my_worker LOGIN PASSWORD '…' IN ROLE backship_worker;
--   CREATE ROLE my_reader LOGIN PASSWORD '…' IN ROLE backship_reader;
--
-- backship_worker: reads and writes rows; makes, changes and drops no table.
-- backship_reader: reads; for the commands that look, and for reports.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backship_worker') THEN
        CREATE ROLE backship_worker NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backship_reader') THEN
        CREATE ROLE backship_reader NOLOGIN;
    END IF;
    -- Before PostgreSQL 15 everybody might make tables here.
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END
$$;

GRANT USAGE ON SCHEMA public TO backship_worker, backship_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO backship_worker;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM backship_worker;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO backship_reader;

-- What the next migration adds.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO backship_worker;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO backship_reader;
