import { parentPort } from 'node:worker_threads';

/** What a thread gives back; the buffers of `transfer` are handed over instead of copied. */
export interface ThreadAnswer<Answer> {
  value: Answer;
  transfer?: ArrayBuffer[];
}

/** The thread's side of `ComputeThread`: one answer per question; a throw ends the thread with that error. */
export function serveThread<Answer>(answer: () => ThreadAnswer<Answer> | Promise<ThreadAnswer<Answer>>): void {
  const port = parentPort;
  if (port === null) {
    throw new Error('Wanted to be run as a worker thread, got the main thread.');
  }
  const answerOne = async () => {
    const { value, transfer = [] } = await answer();
    port.postMessage(value, transfer);
  };
  port.on('message', () => void answerOne());
}
