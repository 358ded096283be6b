import { expect, test } from 'vitest';
import { MessageQueue } from './message-queue.ts';

function createQueue(capacity = 3) {
  const ends: string[] = [];
  return { queue: new MessageQueue<number>({ capacity, onEnd: () => ends.push('end') }), ends };
}

test('messages come in order, whether the consumer waits or not', async () => {
  const { queue } = createQueue();
  const early = queue.next();
  queue.push(1);
  queue.push(2);
  expect([(await early).value, (await queue.next()).value]).toEqual([1, 2]);
});

test('what is queued is delivered before the end', async () => {
  const { queue, ends } = createQueue();
  queue.push(1);
  queue.end();
  queue.push(2);
  expect([await queue.next(), await queue.next()]).toEqual([
    { done: false, value: 1 },
    { done: true, value: undefined },
  ]);
  expect(ends).toEqual(['end']);
});

test('a consumer that waits can leave', async () => {
  const { queue, ends } = createQueue();
  const next = queue.next();
  await queue.return();
  expect((await next).done).toBe(true);
  expect(ends).toEqual(['end']);
});

test('a producer that is more than the capacity ahead ends the queue with an error', async () => {
  const { queue, ends } = createQueue(3);
  for (const message of [1, 2, 3, 4, 5]) queue.push(message);
  await expect(queue.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect((await queue.next()).done).toBe(true);
  expect(ends).toEqual(['end']);
});
