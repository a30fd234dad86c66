-- What a counter remembers of a shop and its shelf: shared/sql/20_changes.sql. How many pieces
-- stand there is not remembered, so of the stock only a new shelf counts.

CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OR DELETE ON points.shop
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON points.agreement
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER UPDATE OR DELETE ON points.product
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR UPDATE OR DELETE ON points.price
    FOR EACH STATEMENT EXECUTE FUNCTION shared.tell_change();
CREATE OR REPLACE TRIGGER tell_change AFTER INSERT OR DELETE ON points.stock
    FOR EACH ROW EXECUTE FUNCTION shared.tell_change();
