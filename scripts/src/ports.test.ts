import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { checkPorts, freePort, freePorts, type PortName, portsFrom } from './ports.ts';

test('the ports follow the base in a fixed order', () => {
  expect(portsFrom(4000)).toMatchObject({ web: 4000, gateway: 4001, postgres: 4010, temporalUi: 4013 });
});

test('a port in use is named with its part and the option that moves it', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const ports = { ...portsFrom(4000), catalog: port };
  try {
    await expect(checkPorts(ports, ['catalog'])).rejects.toThrow(
      `Port ${port} (catalog) is in use: stop what listens there, or choose others with --port N.`,
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  await expect(checkPorts(ports, ['catalog'])).resolves.toBeUndefined();
});

test('the ports of a platform of its own can all be listened on', async () => {
  const { base, ports } = await freePorts();
  expect(ports).toEqual(portsFrom(base));
  expect(base).toBeLessThan(32_768);
  const names = Object.keys(ports) as PortName[];
  await expect(checkPorts(ports, names)).resolves.toBeUndefined();
});
