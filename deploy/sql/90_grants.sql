-- Who may touch what (repeatable). Neither service writes the other's schema; ledger tables are
-- written by points.post_batch alone, audit is written once.

REVOKE ALL ON SCHEMA shared, points, appraisal FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA shared, points, appraisal FROM PUBLIC;
GRANT USAGE ON SCHEMA shared, points, appraisal
    TO gridmerit_points, gridmerit_appraisal, gridmerit_report;
GRANT SELECT ON public.migration TO gridmerit_points, gridmerit_appraisal, gridmerit_report;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shared
    TO gridmerit_points, gridmerit_appraisal;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA shared TO gridmerit_points, gridmerit_appraisal;
REVOKE UPDATE, DELETE ON shared.audit_event, shared.export_log
    FROM gridmerit_points, gridmerit_appraisal;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA points TO gridmerit_points;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA points TO gridmerit_points;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA appraisal TO gridmerit_appraisal;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA appraisal TO gridmerit_appraisal;

DO $$
DECLARE
    v_table text;
    v_view record;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['account', 'transfer', 'hold', 'lot', 'batch', 'redemption',
            'redemption_line', 'stock', 'stock_move', 'fund', 'resolution', 'awaiting',
            'posting', 'closing', 'closing_balance'] LOOP
        IF to_regclass('points.' || v_table) IS NOT NULL THEN
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON points.%I FROM gridmerit_points',
                           v_table);
        END IF;
    END LOOP;
    -- Partitions are read through their table; nobody needs a right on them.
    FOR v_table IN SELECT inhrelid::regclass::text FROM pg_inherits
                   WHERE inhparent = 'points.transfer'::regclass LOOP
        EXECUTE format('REVOKE ALL ON %s FROM gridmerit_points', v_table);
    END LOOP;
    -- A redemption code is made by the service but spent and purged inside the ledger.
    REVOKE UPDATE, DELETE ON points.code FROM gridmerit_points;
    -- A closed day is written once.
    REVOKE UPDATE, DELETE ON points.day_root FROM gridmerit_points;
    -- Signed steps, notices and services are written once.
    REVOKE UPDATE, DELETE ON appraisal.case_step, appraisal.notice, appraisal.serving
        FROM gridmerit_appraisal;
    -- Contract views are what one service may know of the other.
    FOR v_view IN SELECT schemaname, viewname FROM pg_views
                  WHERE schemaname IN ('points', 'appraisal') LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I.%I FROM gridmerit_%s',
                       v_view.schemaname, v_view.viewname, v_view.schemaname);
        EXECUTE format('GRANT SELECT ON %I.%I TO gridmerit_points, gridmerit_appraisal',
                       v_view.schemaname, v_view.viewname);
    END LOOP;
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA shared, points, appraisal TO gridmerit_report;
REVOKE SELECT ON shared.account, shared.device, shared.session, shared.activation_slip,
    shared.terminal_key, points.code, points.card, points.pickup FROM gridmerit_report;
-- Slips and what waits to be counted are for nobody's eyes.
REVOKE SELECT ON appraisal.ballot_slip, appraisal.ballot_burnt, appraisal.ballot_inbox,
    appraisal.ballot_paper, appraisal.ballot_spent, appraisal.ballot_box FROM gridmerit_report;
