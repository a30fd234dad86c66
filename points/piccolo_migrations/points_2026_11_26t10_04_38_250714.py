from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from shared.database import DB

ID = "2026-11-26T10:04:38:250714"
VERSION = "1.38.0"
DESCRIPTION = "Transfers by quarter"

# The plain table becomes the first partition, with its rows and keys as they are: nothing is
# copied, and no sealed row changes. It ends with the quarter of its last row, or, empty, before
# this quarter. On a new database the repeatable SQL, which makes keys and checks, has not run yet.
SPLIT = """
DO $$
DECLARE
    v_last uuid := (SELECT id FROM points.transfer ORDER BY id DESC LIMIT 1);
    v_end timestamp := date_trunc('quarter', now() AT TIME ZONE 'Asia/Shanghai');
    v_key record;
    v_index record;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'points.transfer'::regclass) = 'p' THEN
        RETURN;
    END IF;
    SELECT conname, cardinality(conkey) AS columns INTO v_key FROM pg_constraint
    WHERE conrelid = 'points.transfer'::regclass AND contype = 'p';
    IF v_key.columns = 1 THEN
        EXECUTE format('ALTER TABLE points.transfer DROP CONSTRAINT %I', v_key.conname);
        ALTER TABLE points.transfer ADD CONSTRAINT transfer_pkey PRIMARY KEY (county_id, id);
    END IF;
    IF v_last IS NOT NULL THEN
        v_end := date_trunc('quarter', to_timestamp(
            ('x' || substr(encode(uuid_send(v_last), 'hex'), 1, 12))::bit(48)::int8 / 1000.0)
            AT TIME ZONE 'Asia/Shanghai') + interval '3 months';
    END IF;
    ALTER TABLE points.transfer RENAME TO transfer_past;
    DROP TRIGGER IF EXISTS transfer_append_only ON points.transfer_past;
    DROP TRIGGER IF EXISTS transfer_no_truncate ON points.transfer_past;
    FOR v_index IN SELECT indexrelid::regclass::text AS name, c.relname
                   FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                   WHERE i.indrelid = 'points.transfer_past'::regclass
    LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', v_index.name,
                       replace(v_index.relname, 'transfer_', 'transfer_past_'));
    END LOOP;
    CREATE TABLE points.transfer (LIKE points.transfer_past INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
        CONSTRAINT transfer_pkey PRIMARY KEY (county_id, id)) PARTITION BY RANGE (id);
    EXECUTE format('ALTER TABLE points.transfer ATTACH PARTITION points.transfer_past'
        ' FOR VALUES FROM (MINVALUE) TO (%L)', (lpad(to_hex(floor(extract(epoch FROM
            v_end AT TIME ZONE 'Asia/Shanghai') * 1000)::int8), 12, '0')
        || '70008000000000000000')::uuid);
    CREATE TABLE points.transfer_default PARTITION OF points.transfer DEFAULT;
END $$;
ALTER TABLE points.closing_balance DROP CONSTRAINT IF EXISTS closing_balance_pkey;
ALTER TABLE points.closing_balance ADD PRIMARY KEY (county_id, account, month);
"""


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="points", description=DESCRIPTION)

    async def run():
        await DB.execute(SPLIT)

    manager.add_raw(run)
    return manager
