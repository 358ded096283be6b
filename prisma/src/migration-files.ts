import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Where this package keeps its migrations. */
const MIGRATIONS_DIR = path.join(import.meta.dirname, '..', 'migrations');

export interface MigrationFile {
  name: string;
  script: string;
  /** SHA-256 of the script in hex, as Prisma stores it. */
  checksum: string;
}

/** The migrations of a folder in the order of their names, which start with their time. */
export async function readMigrations(directory = MIGRATIONS_DIR): Promise<MigrationFile[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.toSorted().map(async (name) => {
      const script = await readFile(path.join(directory, name, 'migration.sql'), 'utf8');
      return { name, script, checksum: createHash('sha256').update(script).digest('hex') };
    }),
  );
}
