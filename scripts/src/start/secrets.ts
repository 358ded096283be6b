import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { StopReason } from '../report-error.ts';

/** The secrets of one local platform. */
export interface Secrets {
  internalTokenSecret: string;
  /** Base64 of a private Ed25519 key as JWK JSON. */
  sessionSigningKey: string;
  apiKeyPepper: string;
  appRolePassword: string;
}

const NAMES = ['internalTokenSecret', 'sessionSigningKey', 'apiKeyPepper', 'appRolePassword'] as const;

/**
 * The secrets kept in a file that its owner alone can read, made at random on first use.
 * @throws StopReason when the file is not what we wrote.
 */
export function openSecrets(path: string): Secrets {
  const text = readIfThere(path);
  if (text === null) return createSecrets(path);
  chmodSync(path, 0o600);
  const secrets = parse(text);
  const missing = NAMES.find((name) => typeof secrets?.[name] !== 'string');
  if (secrets === null || missing !== undefined) {
    throw new StopReason(`${path} holds no "${missing ?? NAMES[0]}": restore it, or start with --reset.`);
  }
  return secrets;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function parse(text: string): Secrets | null {
  try {
    return JSON.parse(text) as Secrets | null;
  } catch {
    return null;
  }
}

function createSecrets(path: string): Secrets {
  const random = (): string => randomBytes(36).toString('base64url');
  const { privateKey } = generateKeyPairSync('ed25519');
  const secrets: Secrets = {
    internalTokenSecret: random(),
    sessionSigningKey: Buffer.from(JSON.stringify(privateKey.export({ format: 'jwk' }))).toString('base64'),
    apiKeyPepper: random(),
    appRolePassword: random(),
  };
  writeFileSync(path, JSON.stringify(secrets, null, 2), { mode: 0o600, flag: 'wx' });
  return secrets;
}
