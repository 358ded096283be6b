import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Manifest } from './documents.ts';

const DOCUMENTS = new URL('../documents/', import.meta.url);
const FILE = z.record(z.string().regex(/^sha256:[0-9a-f]{64}$/), z.string());

/**
 * Reads what may be run by its hash: the product's documents for browsers, and manifests as GraphQL Code Generator's
 * client preset writes them. @throws Error that names the file which is not as wanted
 */
export async function readManifest(files: readonly string[]): Promise<Manifest> {
  const manifest = new Map<string, string>();
  for (const name of await readdir(DOCUMENTS)) {
    const text = await readFile(new URL(name, DOCUMENTS), 'utf8');
    manifest.set(hash('sha256', text), text);
  }
  for (const file of files) {
    const parsed = FILE.safeParse(JSON.parse(await readFile(file, 'utf8')));
    if (!parsed.success) throw new Error(`${file}: wanted documents by "sha256:…": ${z.prettifyError(parsed.error)}`);
    for (const [id, text] of Object.entries(parsed.data)) {
      const digest = id.slice('sha256:'.length);
      if (hash('sha256', text) !== digest) throw new Error(`${file}: ${id} is not the sha256 of its document`);
      manifest.set(digest, text);
    }
  }
  return manifest;
}
