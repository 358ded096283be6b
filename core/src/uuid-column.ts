const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UUID_BYTES = 16;

/**
 * UUIDs as 16 bytes each, in order.
 * @throws TypeError when a value is not a UUID in its 36-character form.
 */
export function packUuids(ids: readonly string[]): Uint8Array {
  const bytes = Buffer.alloc(ids.length * UUID_BYTES);
  ids.forEach((id, row) => {
    if (!UUID.test(id)) throw new TypeError(`Id ${JSON.stringify(id)} at row ${row} is not a UUID.`);
    bytes.write(id.replaceAll('-', ''), row * UUID_BYTES, 'hex');
  });
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The UUIDs that `packUuids` packed, in lower case. */
export function unpackUuids(bytes: Uint8Array): string[] {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return Array.from({ length: bytes.length / UUID_BYTES }, (_, row) => {
    const id = hex.slice(row * 32, row * 32 + 32);
    return `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
  });
}
