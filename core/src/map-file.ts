import { readFile } from 'node:fs/promises';
import type { AddonForm } from '@kindred/native/load-addon';
import { loadAddon } from './load-addon.ts';

interface MappingAddon {
  mapFile(path: string): ArrayBuffer;
}

const MAPPING_ADDON: AddonForm<MappingAddon> = { name: 'mapping', members: ['mapFile'] };

/**
 * A file's bytes, mapped: the system reads what is touched and shares it among processes, and drops it when memory is
 * short. The file must neither be changed nor cut short while they are in use; a new one may take its name. Where the
 * addon is missing the file is read.
 * @throws the system's error when there is no such file.
 */
export async function mapFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { addon } = loadAddon(MAPPING_ADDON);
  if (!addon) return new Uint8Array(await readFile(path));
  return new Uint8Array(addon.mapFile(path));
}
