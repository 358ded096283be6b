import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

/** Runs a process whose start and drain are the given expressions, and signals it when it says that it is up. */
async function run({ start = '', drain = '', signals = [] as NodeJS.Signals[] }) {
  const script = `
    const { runMain } = await import(${JSON.stringify(new URL('run-main.ts', import.meta.url).href)});
    const { createLogger } = await import(${JSON.stringify(new URL('logger.ts', import.meta.url).href)});
    const alive = setInterval(() => {}, 1000);
    await runMain({ logger: createLogger('test', 'info'), start: async () => {
      ${start};
      setImmediate(() => console.log('up'));
      return { drain: async () => { ${drain}; console.log('drained'); } };
    } });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    if (!output.includes('up\n') && `${output}${chunk}`.includes('up\n'))
      for (const signal of signals) child.kill(signal);
    output += String(chunk);
  });
  const [code] = await once(child, 'close');
  return { code, output };
}

test.for(['SIGTERM', 'SIGINT'] as const)('%s drains the process, which then exits with 0', async (signal) => {
  const { code, output } = await run({ signals: [signal] });
  expect(code).toBe(0);
  expect(output).toContain('drained');
});

test('a start that fails is logged with its cause and exits with 1', async () => {
  const { code, output } = await run({ start: `throw new Error('no start', { cause: new Error('port taken') })` });
  expect(code).toBe(1);
  expect(output).toContain('port taken');
});

test('a drain that fails exits with 1', async () => {
  expect((await run({ drain: `throw new Error('stuck')`, signals: ['SIGTERM'] })).code).toBe(1);
});

test('an error that nobody caught ends the process with 1', async () => {
  const { code, output } = await run({ start: `setTimeout(() => { throw new Error('stray') }, 1)` });
  expect(code).toBe(1);
  expect(output).toContain('stray');
});
