-- Serving keeps what items are like in memory, and asks for those that were written since.
CREATE INDEX items_updated_idx ON items (tenant_id, updated_at);
