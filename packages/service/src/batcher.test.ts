import { expect, test } from 'vitest';
import { Batcher } from './batcher.ts';

/** A batcher whose runs end when they are told to. */
function createSlow(mostAtOnce: number) {
  const runs: { questions: readonly number[]; end: () => void }[] = [];
  const run = (questions: readonly number[]): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const end = () => (questions.includes(13) ? reject(new Error('no 13')) : resolve(questions.map(String)));
      runs.push({ questions, end });
    });
  return { runs, batcher: new Batcher(run, { mostAtOnce }) };
}

test('the first question is asked at once, alone; those that come meanwhile are asked together', async () => {
  const { runs, batcher } = createSlow(10);
  const answers = [1, 2, 3].map((question) => batcher.ask(question));
  expect(runs.map(({ questions }) => questions)).toEqual([[1]]);
  runs[0]?.end();
  await expect.poll(() => runs[1]?.questions).toEqual([2, 3]);
  runs[1]?.end();
  expect(await Promise.all(answers)).toEqual(['1', '2', '3']);
});

test('a batch holds no more than it may', async () => {
  const { runs, batcher } = createSlow(2);
  const answers = [1, 2, 3, 4].map((question) => batcher.ask(question));
  for (let run = 0; run < 3; run++) {
    await expect.poll(() => runs.length).toBe(run + 1);
    runs[run]?.end();
  }
  expect(await Promise.all(answers)).toEqual(['1', '2', '3', '4']);
  expect(runs.map(({ questions }) => questions)).toEqual([[1], [2, 3], [4]]);
});

test('a batch that fails fails its questions alone', async () => {
  const { runs, batcher } = createSlow(1);
  const [wrong, right] = [batcher.ask(13), batcher.ask(1)];
  runs[0]?.end();
  await expect(wrong).rejects.toThrow('no 13');
  runs[1]?.end();
  expect(await right).toBe('1');
});
