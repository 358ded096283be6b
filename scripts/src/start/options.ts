import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StopReason } from '../report-error.ts';

export interface StartOptions {
  help: boolean;
  /** The MovieLens data to seed from; null for the download or the simulated viewers. */
  dataDir: string | null;
  stateDir: string;
  port: number;
  reset: boolean;
  web: boolean;
  seed: boolean;
  once: boolean;
}

const DEFAULT_PORT = 4000;
const HIGHEST_BASE_PORT = 65_522; // the last part listens 13 above it

/** What `npm start -- --help` says; bootstrap.mjs says it too, before anything is installed. */
export const HELP = readFileSync(new URL('./help.txt', import.meta.url), 'utf8').trimEnd();

/**
 * The options of `npm start`.
 * @throws StopReason naming the first option that is unknown or wrong.
 */
export function readStartOptions(args: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const values = parse(args);
  const dataDir = values.data ?? env.KINDRED_DATA_DIR;
  return {
    help: values.help,
    dataDir: dataDir ? resolve(dataDir) : null,
    stateDir: resolve(values.state),
    port: readPort(values.port),
    reset: values.reset,
    web: values.web,
    seed: values.seed,
    once: values.once,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        data: { type: 'string' },
        port: { type: 'string', default: String(DEFAULT_PORT) },
        state: { type: 'string', default: '.kindred' },
        reset: { type: 'boolean', default: false },
        web: { type: 'boolean', default: true },
        seed: { type: 'boolean', default: true },
        once: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('. To specify', 1)[0] : String(cause);
    throw new StopReason(`${reason}. npm start -- --help lists the options.`, { cause });
  }
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1024 || port > HIGHEST_BASE_PORT) {
    throw new StopReason(`--port must be a whole number from 1024 to ${HIGHEST_BASE_PORT}, got "${text}".`);
  }
  return port;
}
