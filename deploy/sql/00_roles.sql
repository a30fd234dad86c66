-- The login roles, made once per cluster; run by a superuser or a role with CREATEROLE.
-- Roles belong to the cluster: two databases of one cluster share them, and may be made at once.
DO $$
DECLARE
    v_role text;
    v_member record;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['gridmerit_owner', 'gridmerit_points', 'gridmerit_appraisal',
                                  'gridmerit_report', 'gridmerit_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', v_role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database's migration was quicker
            END;
        END IF;
    END LOOP;
    -- The one process of a small installation is both services. Whoever migrates may step down
    -- into a service's role, so that the services need no address of their own.
    FOR v_member IN
        SELECT * FROM (VALUES
            ('gridmerit_points', 'gridmerit_app'),
            ('gridmerit_appraisal', 'gridmerit_app'),
            ('gridmerit_points', session_user::text),
            ('gridmerit_appraisal', session_user::text),
            ('gridmerit_report', session_user::text),
            ('gridmerit_app', session_user::text)) AS wanted (role, member)
        WHERE NOT EXISTS (
            SELECT FROM pg_auth_members m
            WHERE m.roleid = to_regrole(role) AND m.member = to_regrole(quote_ident(wanted.member))
              AND (to_jsonb(m) ->> 'set_option' IS DISTINCT FROM 'false'))
          AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = wanted.member)
    LOOP
        EXECUTE format('GRANT %I TO %I', v_member.role, v_member.member);
    END LOOP;
END $$;
