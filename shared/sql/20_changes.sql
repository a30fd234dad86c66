-- What processes remember of these tables they forget when a change commits: shared/memory.py.

CREATE OR REPLACE FUNCTION shared.tell_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    -- Equal notifications of one transaction are sent once.
    PERFORM pg_notify('gridmerit_changes', '');
    RETURN NULL;
END $$;

-- Who a terminal is: its key, the keeper's name, account and duties.
CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OF revoked_at, shop_id, person_id, label,
    secret_cipher OR DELETE ON shared.terminal_key
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OF disabled_at, person_id OR DELETE
    ON shared.account FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OF name OR DELETE ON shared.person
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON shared.assignment
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OR DELETE ON shared.post
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OR DELETE ON shared.unit
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OF settings OR DELETE ON shared.county
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
