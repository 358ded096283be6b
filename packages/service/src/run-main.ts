import type { Logger } from './logger.ts';

const DRAIN_TIMEOUT_MS = 20_000;

/**
 * The life of a process: start, serve, drain at the first SIGTERM or SIGINT, exit with 0. A failed start, a failed or
 * endless drain and an uncaught error exit with 1; a second signal exits at once.
 */
export async function runMain(options: {
  logger: Logger;
  start: () => Promise<{ drain(): Promise<void> }>;
}): Promise<void> {
  const { logger, start } = options;
  process.on('uncaughtException', (err) => {
    logger.fatal({ err }, 'An error that nobody caught');
    process.exit(1);
  });
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.on(signal, () => process.exit(1));
      });
    }
  });
  try {
    const running = await start();
    const signal = await stopped;
    logger.info({ signal }, 'Draining');
    const timer = setTimeout(() => {
      logger.fatal({ timeoutMs: DRAIN_TIMEOUT_MS }, 'The drain did not end');
      process.exit(1);
    }, DRAIN_TIMEOUT_MS);
    await running.drain();
    clearTimeout(timer);
    logger.info('Drained');
    process.exit(0);
  } catch (err) {
    logger.fatal({ err }, 'The process cannot go on');
    process.exit(1);
  }
}
