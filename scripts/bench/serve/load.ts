import { LoadConnections } from '@kindred/testing/load-connections';

/** One request of a load: its body, and what tells whether its answer is right. */
export interface Question {
  body: string;
}

export interface LoadOptions {
  url: string;
  credential: string;
  seconds: number;
  next: () => Question;
}

export interface LoadResult {
  seconds: number;
  answered: number;
  errors: number;
  /** The first errors, for people. */
  reasons: string[];
  /** From the moment a request was due to the end of its answer, ascending, in milliseconds. */
  latencies: Float64Array;
}

const CONNECTIONS = 256;

/** Sends at a given rate whatever the answers do (open loop): a slow server makes a queue, not fewer requests. */
export async function loadAtRate(options: LoadOptions & { ratePerSecond: number }): Promise<LoadResult> {
  const run = startRun(options);
  const startedAt = performance.now();
  const total = Math.round(options.ratePerSecond * options.seconds);
  const waiting: Promise<void>[] = [];
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * options.ratePerSecond));
    for (; sent < due; sent++) waiting.push(run.ask(startedAt + (sent / options.ratePerSecond) * 1000));
    const nextAt = startedAt + ((sent + 1) / options.ratePerSecond) * 1000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, nextAt - performance.now())));
  }
  await Promise.all(waiting);
  return run.end((performance.now() - startedAt) / 1000);
}

/** Keeps a number of requests under way (closed loop): what the servers can do at most. */
export async function loadAtMost(options: LoadOptions & { concurrency: number }): Promise<LoadResult> {
  const run = startRun(options);
  const startedAt = performance.now();
  const endAt = startedAt + options.seconds * 1000;
  await Promise.all(
    Array.from({ length: options.concurrency }, async () => {
      while (performance.now() < endAt) await run.ask(performance.now());
    }),
  );
  return run.end((performance.now() - startedAt) / 1000);
}

interface Run {
  ask(dueAt: number): Promise<void>;
  end(seconds: number): LoadResult;
}

function startRun({ url, credential, next }: LoadOptions): Run {
  const { origin, pathname: path } = new URL(url);
  const open = new LoadConnections(origin, { connections: CONNECTIONS });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` };
  const latencies: number[] = [];
  const reasons: string[] = [];
  let errors = 0;
  const fail = (reason: string): void => {
    errors += 1;
    if (reasons.length < 5) reasons.push(reason.slice(0, 300));
  };
  return {
    ask: async (dueAt) => {
      const { body } = next();
      try {
        const { statusCode, text } = await open.post({ path, headers, body });
        latencies.push(performance.now() - dueAt);
        if (statusCode !== 200 || text.includes('"errors":')) fail(`${statusCode} ${text}`);
      } catch (error) {
        fail(String(error));
      }
    },
    end: (seconds) => {
      open.close();
      return {
        seconds,
        answered: latencies.length,
        errors,
        reasons,
        latencies: Float64Array.from(latencies).toSorted(),
      };
    },
  };
}
