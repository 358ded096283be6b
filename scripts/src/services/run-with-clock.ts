import { spawn } from 'node:child_process';
import { StopReason } from '../report-error.ts';

export type Progress = (message: string) => void;

export interface Run {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  timeoutMs: number;
}

// A terminal redraws its line; a log gets a new one each time.
const CLOCK_MS = process.stdout.isTTY ? 1_000 : 15_000;

/** Runs a command, telling now and then how long it has taken; the answer is its last line of complaint, or null. */
export function runWithClock(
  { command, args, env, timeoutMs }: Run,
  { label, onProgress, signal }: { label: string; onProgress: Progress; signal: AbortSignal | undefined },
): Promise<string | null> {
  const startedAt = performance.now();
  const tell = (): void => onProgress(`${label} (${Math.round((performance.now() - startedAt) / 1000)} s)`);
  const signals = signal ? [signal, AbortSignal.timeout(timeoutMs)] : [AbortSignal.timeout(timeoutMs)];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      signal: AbortSignal.any(signals),
      killSignal: 'SIGINT', // at which Go ends its compilers too
      ...(env ? { env } : {}),
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-4_000);
    });
    const clock = setInterval(tell, CLOCK_MS);
    tell();
    const finish = (failure: string | null): void => {
      clearInterval(clock);
      if (signal?.aborted) reject(new StopReason('Stopped.'));
      else resolve(failure);
    };
    child.once('error', (error) =>
      finish(error.name === 'AbortError' ? `it took more than ${timeoutMs / 1000} s` : error.message),
    );
    child.once('close', (code) =>
      finish(code === 0 ? null : (complaint.trim().split('\n').at(-1) ?? `it ended with ${code}`)),
    );
  });
}
