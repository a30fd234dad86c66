-- Repeatable: every file in sql/ is run again by each `gridmerit migrate`, after the migrations.
-- These helpers give Piccolo's tables what its models cannot say: composite keys.

CREATE SCHEMA IF NOT EXISTS shared;

-- Replace the primary key (id) by (county_id, id) on every business table of a schema (a ledger
-- batch is known by its number instead of an id).
CREATE OR REPLACE FUNCTION shared.harden(p_schema text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    r record;
BEGIN
    FOR r IN
        SELECT c.oid, n.nspname, c.relname, k.conname, key.attname AS keyname
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = p_schema
        JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'county_id'
        JOIN pg_attribute key ON key.attrelid = c.oid AND key.attnum = k.conkey[1]
        WHERE c.relkind IN ('r', 'p') AND cardinality(k.conkey) = 1
    LOOP
        EXECUTE format('ALTER TABLE %I.%I DROP CONSTRAINT %I', r.nspname, r.relname, r.conname);
        EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT %I PRIMARY KEY (county_id, %I)',
                       r.nspname, r.relname, r.conname, r.keyname);
    END LOOP;
END $$;

-- A foreign key (county_id, column) → (county_id, id), once.
CREATE OR REPLACE FUNCTION shared.reference(p_child regclass, p_column text, p_parent regclass)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    v_name text := format('%s_%s_fkey',
        (SELECT relname FROM pg_class WHERE oid = p_child), p_column);
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = p_child AND conname = v_name) THEN
        EXECUTE format(
            'ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (county_id, %I)'
            ' REFERENCES %s (county_id, id)',
            p_child, v_name, p_column, p_parent);
    END IF;
END $$;

-- A named CHECK, once; the name is what an error table maps to a sentence.
CREATE OR REPLACE FUNCTION shared.ensure(p_table regclass, p_name text, p_check text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = p_table AND conname = p_name) THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s)', p_table, p_name, p_check);
    END IF;
END $$;
