const BLOCK = 512;

/** A file of an archive. */
export interface TarEntry {
  /** At most 100 bytes. */
  name: string;
  bytes: Uint8Array;
}

/**
 * Files as one archive in the ustar format (POSIX.1-1988), of one owner and time: equal files give equal bytes.
 * @throws Error for a name that is too long.
 */
export function encodeTar(entries: readonly TarEntry[], modifiedAt: Date): Buffer {
  const parts: Uint8Array[] = [];
  for (const { name, bytes } of entries) {
    parts.push(encodeHeader(name, bytes.length, modifiedAt), bytes, Buffer.alloc(paddingOf(bytes.length)));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function encodeHeader(name: string, sizeBytes: number, modifiedAt: Date): Buffer {
  if (Buffer.byteLength(name) > 100) {
    throw new Error(`A name in an archive has at most 100 bytes, got "${name}".`);
  }
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, '0');
  header.write(name, 0);
  header.write(octal(0o600, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(sizeBytes, 12), 124);
  header.write(octal(Math.floor(modifiedAt.getTime() / 1000), 12), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function paddingOf(sizeBytes: number): number {
  return (BLOCK - (sizeBytes % BLOCK)) % BLOCK;
}
