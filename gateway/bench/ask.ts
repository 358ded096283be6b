import type { ChildProcess } from 'node:child_process';

/** The next message of a child process, after it was sent one. */
export function ask<T>(child: ChildProcess, message?: object): Promise<T> {
  const answer = new Promise<T>((resolve) => void child.once('message', (value) => resolve(value as T)));
  if (message !== undefined) child.send(message);
  return answer;
}
