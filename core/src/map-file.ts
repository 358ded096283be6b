import { readFile } from 'node:fs/promises';
import { type AddonForm, loadAddon } from './load-addon.ts';

interface MappingAddon {
  mapFile(path: string): ArrayBuffer;
}

const FORM: AddonForm<MappingAddon> = { name: 'mapping', members: ['mapFile'] };

/**
 * A file's bytes. They stay in the file where the addon is built: what is not looked at takes no memory, and the file must
 * stay as it is while they are used. Elsewhere they are read.
 * @throws Error with a code when the file cannot be read.
 */
export async function mapFile(path: string): Promise<Uint8Array> {
  const { addon } = loadAddon(FORM);
  return addon === null ? await readFile(path) : new Uint8Array(addon.mapFile(path));
}
