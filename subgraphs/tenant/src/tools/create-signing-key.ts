import { createSigningKey } from '../access-tokens.ts';

// Prints a fresh value for SESSION_SIGNING_KEY.
process.stdout.write(`${Buffer.from(JSON.stringify(await createSigningKey())).toString('base64')}\n`);
