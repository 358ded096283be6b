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

export const HELP = `Usage: npm start -- [options]

Starts the whole platform on this machine: PostgreSQL, Redis, Temporal, the four subgraphs, the gateway,
the workers and the dashboard; fills a demo tenant, trains its first model and prints a recommendation.
Ctrl-C ends it. A second start goes on with the same data.

  --data DIR    MovieLens data for the demo tenant: a folder with movies.csv and ratings.csv, or one that
                holds ml-latest-small (default: KINDRED_DATA_DIR, else a download, else simulated viewers)
  --port N      the dashboard's port; the others follow it, up to N + 13 (default: ${DEFAULT_PORT})
  --state DIR   where data, logs and secrets are kept (default: .kindred)
  --reset       remove what is kept there first
  --no-web      leave the dashboard out
  --no-seed     leave the demo tenant out
  --once        end again once everything is up and the first recommendation is printed
  --help        show this

Servers of your own: DATABASE_URL (with MIGRATION_DATABASE_URL of the owner, to migrate), REDIS_URL,
TEMPORAL_ADDRESS.`;

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
