import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The full path of a program on PATH, or null. */
export function findOnPath(program: string, path: string = process.env.PATH ?? ''): string | null {
  return (
    path
      .split(delimiter)
      .filter(Boolean)
      .map((dir) => join(dir, program))
      .find(isExecutable) ?? null
  );
}

function isExecutable(file: string): boolean {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
