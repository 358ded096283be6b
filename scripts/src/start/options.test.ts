import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HELP, readStartOptions } from './options.ts';

describe('the options of npm start', () => {
  test('default to everything, on port 4000, in .kindred', () => {
    expect(readStartOptions([], {})).toEqual({
      help: false,
      dataDir: null,
      stateDir: resolve('.kindred'),
      port: 4000,
      reset: false,
      web: true,
      seed: true,
      once: false,
    });
  });

  test('are read in any order, with their negations', () => {
    const options = readStartOptions(['--no-web', '--port', '5000', '--data', 'films', '--reset', '--no-seed'], {});
    expect(options).toMatchObject({ web: false, seed: false, port: 5000, reset: true, dataDir: resolve('films') });
  });

  test('take the data from KINDRED_DATA_DIR, unless --data names another folder', () => {
    const env = { KINDRED_DATA_DIR: '/from/environment' };
    expect(readStartOptions([], env).dataDir).toBe('/from/environment');
    expect(readStartOptions(['--data', '/from/option'], env).dataDir).toBe('/from/option');
  });

  test.each(['80', '65523', 'http', '4000.5', ''])('refuse --port %s in one line', (port) => {
    expect(() => readStartOptions([`--port=${port}`], {})).toThrow(
      `--port must be a whole number from 1024 to 65522, got "${port}".`,
    );
  });

  test('refuse an unknown one and say where the list is', () => {
    expect(() => readStartOptions(['--dat', 'x'], {})).toThrow(/^Unknown option '--dat'\. npm start -- --help lists/);
    expect(() => readStartOptions(['films'], {})).toThrow(/^Unexpected argument 'films'/);
  });

  test('are all in the help', () => {
    for (const name of ['data', 'port', 'state', 'reset', 'no-web', 'no-seed', 'once', 'help']) {
      expect(HELP).toContain(`--${name}`);
    }
  });
});
