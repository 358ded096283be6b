import type { ProcessRegistry } from '../processes/process-registry.ts';
import { describeFailure } from '../report-error.ts';
import { HELP, readStartOptions } from './options.ts';
import { runPlatform } from './run-platform.ts';

/** A Ctrl-C reaches us twice, from the terminal and from npm: only one after this pause is a second Ctrl-C. */
const SAME_SIGNAL_MS = 500;

async function main(): Promise<number> {
  const options = readStartOptions(process.argv.slice(2), process.env);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const stopping = new AbortController();
  let registry: ProcessRegistry | null = null;
  let askedAt: number | null = null;
  const stop = (): void => {
    askedAt ??= performance.now();
    if (performance.now() - askedAt > SAME_SIGNAL_MS) {
      registry?.killAll();
      registry?.release();
      process.exit(130);
    }
    stopping.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // The reader of our output may go first, as in `npm start | head`.
  process.stdout.on('error', stop);
  try {
    await runPlatform(options, {
      signal: stopping.signal,
      onRegistry: (opened) => {
        registry = opened;
      },
    });
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`\nkindred: ${describeFailure(error)}`);
  if (process.env.DEBUG) console.error(error);
  process.exitCode = 1;
}
// A stray timer or socket must not keep a finished supervisor alive.
process.exit();
