import { sleep } from '@temporalio/workflow';

/** Asked often at first; a history of one look every 30 s has room for a day and a half. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const GROWTH = 1.2;

/** Asks with growing pauses until there is an answer other than null. */
export async function askUntil<Answer>(ask: () => Promise<Answer | null>): Promise<Answer> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * GROWTH)) {
    const answer = await ask();
    if (answer !== null) return answer;
    await sleep(pauseMs);
  }
}
