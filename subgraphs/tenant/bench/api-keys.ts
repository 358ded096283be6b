// What checking an API key costs without any cache, beside checking it by a password hash:
// `node subgraphs/tenant/bench/api-keys.ts [--json FILE]`. With DATABASE_URL (as kindred_app) also with the look-up.
// CPU time of this process, user and system, the median of 21 rounds: what other processes do hardly moves it.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { connectDb } from '@kindred/db/client';
import { hash, verify } from '@node-rs/argon2';
import { digestApiKey, isApiKeySecret, newApiKeySecret } from '../src/api-key-secret.ts';
import { authenticateApiKey } from '../src/authenticate-api-key.ts';

const ROUNDS = 21;
const PEPPER = 'the API key pepper of the benchmark, 32 chars';
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

interface Figure {
  name: string;
  cpuMsPerCheck: number;
}

async function measure(name: string, checks: number, check: () => unknown): Promise<Figure> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = process.cpuUsage();
    for (let count = 0; count < checks; count++) await check();
    const { user, system } = process.cpuUsage(start);
    // The first round warms up.
    if (round > 0) rounds.push((user + system) / 1000 / checks);
  }
  return { name, cpuMsPerCheck: rounds.toSorted((a, b) => a - b)[(ROUNDS - 1) / 2] ?? 0 };
}

const { values: options } = parseArgs({ options: { json: { type: 'string' } } });
const secret = newApiKeySecret('SECRET');
const digest = digestApiKey(PEPPER, secret);
const passwordHash = await hash(secret, ARGON2);
const figures = [
  await measure('checksum, HMAC and comparison', 2_000, () => {
    if (!isApiKeySecret(secret) || !digestApiKey(PEPPER, secret).equals(digest))
      throw new Error('The key does not fit');
  }),
];
if (process.env.DATABASE_URL !== undefined) {
  await using db = await connectDb({ url: process.env.DATABASE_URL, applicationName: 'bench-api-keys' });
  const lookUp = () => authenticateApiKey({ db, apiKeyPepper: PEPPER }, secret);
  figures.push(await measure('the same with the look-up in PostgreSQL', 200, lookUp));
}
figures.push(await measure('baseline: argon2id, as passwords are', 2, () => verify(passwordHash, secret)));

const baseline = figures.at(-1)?.cpuMsPerCheck ?? 0;
process.stdout.write('| check | CPU ms | times cheaper than argon2id |\n|---|---:|---:|\n');
for (const { name, cpuMsPerCheck } of figures) {
  process.stdout.write(`| ${name} | ${cpuMsPerCheck.toFixed(4)} | ${(baseline / cpuMsPerCheck).toFixed(0)} |\n`);
}
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ rounds: ROUNDS, figures }, null, 2)}\n`);
