import { parentPort } from 'node:worker_threads';

/** What a thread gives back; the buffers of `transfer` are handed over instead of copied. */
export interface ThreadAnswer<Answer> {
  answer: Answer;
  transfer?: ArrayBuffer[];
}

/** The thread's side of `ComputeThread`: answers requests one after the other; a throw ends the thread with that error. */
export function serveThread<Request, Answer>(
  answerTo: (request: Request) => ThreadAnswer<Answer> | Promise<ThreadAnswer<Answer>>,
): void {
  const port = parentPort;
  if (port === null) {
    throw new Error('Wanted to be run as a worker thread, got the main thread.');
  }
  port.on('message', async (request: Request) => {
    const { answer, transfer = [] } = await answerTo(request);
    port.postMessage(answer, transfer);
  });
}
