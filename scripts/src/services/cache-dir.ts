import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where a tool that we fetched or built is kept for all checkouts of this user. */
export function cacheDir(tool: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kindred', tool);
}
