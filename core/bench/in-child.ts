import { fork } from 'node:child_process';
import { once } from 'node:events';

type Answer = { readonly result: unknown } | { readonly failure: string };

/**
 * What `module`, which calls `answerParent`, makes of `task` in a process of its own, so that no measurement meets the
 * memory, threads or compiled code of another.
 * @throws Error with the stack of the child's failure, or with the exit code or signal of one that ended without a word.
 */
export async function runInChild(module: string, task: object): Promise<unknown> {
  const child = fork(module, { execArgv: ['--expose-gc'], serialization: 'advanced' });
  child.send(task);
  const answers: Answer[] = [];
  child.on('message', (message) => answers.push(message as Answer));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const [answer] = answers;
  if (!answer) throw new Error(`${module} ended with ${signal ?? code} before it answered.`);
  if ('failure' in answer) throw new Error(answer.failure);
  return answer.result;
}

/** In a child: does `work` on the one task that the parent sends, and answers. */
export async function answerParent(work: (task: unknown) => Promise<unknown>): Promise<void> {
  // After the answer, and also when the parent is gone: whatever threads or devices are left keep nobody waiting.
  process.once('disconnect', () => process.exit());
  const [task] = (await once(process, 'message')) as [unknown];
  const answer = await answerWith(() => work(task));
  process.send?.(answer, () => process.disconnect());
}

async function answerWith(work: () => Promise<unknown>): Promise<Answer> {
  try {
    return { result: await work() };
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
