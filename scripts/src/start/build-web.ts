import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ProcessRegistry } from '../processes/process-registry.ts';
import { startChild } from '../processes/start-child.ts';
import { StopReason } from '../report-error.ts';
import { ROOT } from '../root.ts';
import type { Board } from './show-board.ts';
import type { StateFolder } from './state-folder.ts';

const TITLE = 'dashboard build';

/**
 * Builds the dashboard, unless what was built before is of the same sources.
 * @throws StopReason with the log when it does not build.
 */
export async function buildWeb(context: {
  board: Board;
  folder: StateFolder;
  registry: ProcessRegistry;
  signal: AbortSignal;
}): Promise<void> {
  const { board, folder, registry, signal } = context;
  const startedAt = performance.now();
  const tell = (): void => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    board.set(TITLE, { kind: 'working', what: `building (${seconds} s)` });
  };
  const build = await startChild({
    name: TITLE,
    command: turboCommand(),
    args: ['run', 'build', '--filter=@kindred/web', '--output-logs=new-only', '--ui=stream'],
    cwd: ROOT,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' },
    logPath: folder.log('web-build'),
  });
  registry.add(build);
  const stop = (): void => void build.stop(2_000);
  signal.addEventListener('abort', stop, { once: true });
  const clock = setInterval(tell, 1_000);
  tell();
  try {
    const { code } = await build.exited;
    signal.throwIfAborted();
    if (code !== 0) {
      throw new StopReason(`The dashboard could not be built: see ${build.logPath}, or start with --no-web.`);
    }
    board.set(TITLE, { kind: 'ready' }, 'up to date');
  } finally {
    clearInterval(clock);
    signal.removeEventListener('abort', stop);
    registry.remove(build.pid);
  }
}

/** Turbo's program, which its npm package chooses for this platform. */
function turboCommand(): string {
  return join(dirname(dirname(createRequire(import.meta.url).resolve('turbo/package.json'))), '.bin', 'turbo');
}
