import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What is known of the demo tenant between starts; everything else is asked of the API. */
export interface DemoRecord {
  email: string;
  password: string;
  secretKey?: string;
  publishableKey?: string;
  /** The data that fills it, and whether all of it is there. */
  source?: string;
  simulated?: boolean;
  licence?: string;
  filled?: boolean;
  /** Somebody to recommend to. */
  userExternalId?: string;
  modelId?: string;
}

export interface DemoFile {
  record: DemoRecord;
  /** Adds what was learned and writes it down at once, so that an interrupted start goes on from there. */
  save(changes: Partial<DemoRecord>): void;
}

/** Opens the record of a demo tenant; only its owner can read the file. */
export function openDemoFile(path: string): DemoFile {
  const record: DemoRecord = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as DemoRecord)
    : { email: 'demo@kindred.example', password: randomBytes(12).toString('base64url') };
  const write = (): void => {
    writeFileSync(`${path}.new`, JSON.stringify(record, null, 2), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  if (!existsSync(path)) write();
  return {
    record,
    save(changes) {
      Object.assign(record, changes);
      write();
    },
  };
}
