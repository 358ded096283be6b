import { randomUUID } from 'node:crypto';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { afterEach, expect, inject, test } from 'vitest';
import { connectEventBus, type EventBus } from './event-bus.ts';

const { redisUrl } = inject('infrastructure' as never) as { redisUrl: string };
const buses: EventBus[] = [];

function connectTestBus(url = redisUrl): EventBus {
  const bus = connectEventBus(url);
  buses.push(bus);
  return bus;
}

afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close()));
});

/** Redis behind a door that can be shut: connections through it then break, as when Redis goes away. */
async function startDoor() {
  const target = new URL(redisUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connectSocket(Number(target.port), target.hostname);
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', () => client.destroy()).on('close', () => redis.destroy());
    }
    client.pipe(redis).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return {
    url: `redis://127.0.0.1:${address.port}`,
    breakConnections: () => {
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a message reaches every subscriber of its topic, from another process too, and nobody else', async () => {
  const topic = `test:${randomUUID()}`;
  const [one, other] = [connectTestBus(), connectTestBus()];
  const subscriptions = [one.subscribe(topic), one.subscribe(topic), other.subscribe(topic)];
  const elsewhere = one.subscribe(`${topic}:else`);
  await Promise.all([...subscriptions, elsewhere].map(({ ready }) => ready));
  await other.publish(topic, 'first');
  await one.publish(topic, 'second');
  await one.publish(`${topic}:else`, 'else');
  for (const subscription of subscriptions) {
    const iterator = subscription[Symbol.asyncIterator]();
    expect([(await iterator.next()).value, (await iterator.next()).value]).toEqual(['first', 'second']);
  }
  expect((await elsewhere[Symbol.asyncIterator]().next()).value).toBe('else');
});

test('a subscriber that leaves does not end the others of its topic', async () => {
  const topic = `test:${randomUUID()}`;
  const bus = connectTestBus();
  const [leaving, staying] = [bus.subscribe(topic), bus.subscribe(topic)];
  await Promise.all([leaving.ready, staying.ready]);
  await leaving[Symbol.asyncIterator]().return?.();
  await bus.publish(topic, 'still here');
  expect((await staying[Symbol.asyncIterator]().next()).value).toBe('still here');
});

test('a subscription can be left and taken again', async () => {
  const topic = `test:${randomUUID()}`;
  const bus = connectTestBus();
  for (const message of ['one', 'two', 'three']) {
    const subscription = bus.subscribe(topic);
    await subscription.ready;
    await bus.publish(topic, message);
    const iterator = subscription[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(message);
    await iterator.return?.();
  }
});

test('aborting the signal ends a subscription that waits', async () => {
  const bus = connectTestBus();
  const abort = new AbortController();
  const subscription = bus.subscribe(`test:${randomUUID()}`, abort.signal);
  await subscription.ready;
  const next = subscription[Symbol.asyncIterator]().next();
  abort.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('a broken connection fails the subscriptions, whose events may be lost, and the bus recovers', async () => {
  await using door = await startDoor();
  const bus = connectTestBus(door.url);
  const topic = `test:${randomUUID()}`;
  const subscription = bus.subscribe(topic);
  await subscription.ready;
  const next = subscription[Symbol.asyncIterator]().next();
  door.breakConnections();
  await expect(next).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const again = bus.subscribe(topic);
  await again.ready;
  await bus.publish(topic, 'back');
  expect((await again[Symbol.asyncIterator]().next()).value).toBe('back');
  await bus.ping();
});

test('without Redis everything rejects instead of waiting', async () => {
  const door = await startDoor();
  await door[Symbol.asyncDispose]();
  const bus = connectTestBus(door.url);
  await expect(bus.ping()).rejects.toThrow();
  await expect(bus.publish('test', 'lost')).rejects.toThrow();
  await expect(bus.subscribe('test').ready).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
