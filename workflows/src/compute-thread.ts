import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A thread that is asked for one answer at a time, so that long computing stalls no heartbeat. Its owner disposes of it. */
export interface ComputeThread<Answer> extends AsyncDisposable {
  /**
   * @throws whatever the thread threw; the reason of the signal once it is aborted.
   */
  ask(): Promise<Answer>;
}

/** Starts a thread of TypeScript; an aborted `signal` ends it at once, in the middle of whatever it does. */
export function startComputeThread<Answer>(file: URL, workerData: unknown, signal: AbortSignal): ComputeThread<Answer> {
  signal.throwIfAborted();
  const worker = new Worker(file, { workerData, execArgv: [] });
  const ended = new AbortController();
  const stop = () => void worker.terminate();
  signal.addEventListener('abort', stop, { once: true });
  worker.once('error', (error) => ended.abort(error));
  worker.once('exit', (code) =>
    ended.abort(signal.aborted ? signal.reason : new Error(`The thread ended with ${code}.`)),
  );
  return {
    async ask() {
      ended.signal.throwIfAborted();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
      worker.postMessage(null);
      try {
        const [answer] = await once(worker, 'message', { signal: ended.signal });
        return answer as Answer;
      } catch (error) {
        throw ended.signal.aborted ? ended.signal.reason : error;
      }
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', stop);
      await worker.terminate();
    },
  };
}
