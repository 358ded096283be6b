import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { StopReason } from '../report-error.ts';

export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Who PostgreSQL runs as: null for ourselves, or the system user `postgres` (created if missing) when we are root,
 * as which PostgreSQL refuses to run.
 */
export function findPostgresUser(): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  return readUser('postgres') ?? createUser('postgres');
}

function createUser(name: string): SystemUser {
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name];
  const created = spawnSync('useradd', options, { encoding: 'utf8' });
  const user = readUser(name);
  if (user === null) {
    const reason = created.stderr?.trim() || created.error?.message || 'useradd failed';
    throw new StopReason(
      `PostgreSQL does not run as root and user ${name} could not be made (${reason}): start as another user.`,
    );
  }
  return user;
}

function readUser(name: string): SystemUser | null {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { name, uid: Number(uid), gid: Number(gid) };
}
