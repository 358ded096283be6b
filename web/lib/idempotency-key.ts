/** A fresh key for one intent of the user: kept over retries of the same click, new for the next. */
export function newIdempotencyKey(): string {
  // randomUUID exists on secure origins only; a plain http address on a local network is none.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
