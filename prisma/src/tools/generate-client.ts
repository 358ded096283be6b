import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { prismaCliEnv } from './env.ts';

const directory = path.join(import.meta.dirname, '..', '..');
const cli = path.join(path.dirname(createRequire(import.meta.url).resolve('prisma/package.json')), 'build', 'index.js');

// Generating needs no engine, but the command line downloads one unless it is shown a file.
execFileSync(process.execPath, [cli, 'generate', '--schema', 'schema.prisma', '--no-hints'], {
  cwd: directory,
  env: prismaCliEnv(path.join(directory, 'package.json')),
  stdio: 'inherit',
});
